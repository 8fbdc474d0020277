// Programs that the tests run without attaching them, one of each way they take their input.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

struct sum {
	u32 a;
	u32 b;
	u64 total;
};

u64 runs;
struct sum last;

SEC("xdp")
int grow(struct xdp_md *ctx)
{
	runs++;
	if (bpf_xdp_adjust_tail(ctx, 200) || bpf_xdp_adjust_head(ctx, -100))
		return XDP_ABORTED;
	return XDP_TX;
}

SEC("tc")
int mark(struct __sk_buff *skb)
{
	skb->mark += skb->len;
	return -1;
}

SEC("raw_tp/sys_enter")
int arguments(u64 *ctx)
{
	return ctx[0] + 10 * bpf_get_smp_processor_id();
}

SEC("syscall")
int add(struct sum *sum)
{
	runs++;
	sum->total = (u64) sum->a + sum->b;
	last = *sum;
	return -7;
}

SEC("flow_dissector")
int dissect(struct __sk_buff *skb)
{
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int on_execve(void *ctx)
{
	return 0;
}

SEC("tp_btf/sys_enter")
int typed(u64 *ctx)
{
	return 0;
}

SEC("?socket")
int switched_off(void *ctx)
{
	return 0;
}
