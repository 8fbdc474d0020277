// A TCP congestion control in BPF: the table of functions is a struct_ops map.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "GPL";

// Of the kernel's struct, the members that are set here: libbpf finds them by name.
struct tcp_congestion_ops {
	u32 (*ssthresh)(void *sk);
	void (*cong_avoid)(void *sk, u32 ack, u32 acked);
	u32 (*undo_cwnd)(void *sk);
	char name[16];
};

SEC("struct_ops/ssthresh")
u32 ssthresh(void *ctx)
{
	return 2;
}

SEC("struct_ops/cong_avoid")
void cong_avoid(void *ctx)
{
}

SEC("struct_ops/undo_cwnd")
u32 undo_cwnd(void *ctx)
{
	return 2;
}

SEC(".struct_ops")
struct tcp_congestion_ops slow = {
	.ssthresh = (void *)ssthresh,
	.cong_avoid = (void *)cong_avoid,
	.undo_cwnd = (void *)undo_cwnd,
	.name = "ebpfgen_slow",
};
