// A TCP congestion control that never slows down, and counts that it was asked to.
#include "common.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char __license[] SEC("license") = "GPL";

u64 acknowledged;

struct sock;

struct tcp_congestion_ops {
	u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
	u32 (*undo_cwnd)(struct sock *sk);
	char name[16];
};

SEC("struct_ops/threshold")
u32 BPF_PROG(threshold, struct sock *sk)
{
	return 100;
}

SEC("struct_ops/avoid")
void BPF_PROG(avoid, struct sock *sk, u32 ack, u32 acked)
{
	__sync_fetch_and_add(&acknowledged, acked);
}

SEC("struct_ops/undo")
u32 BPF_PROG(undo, struct sock *sk)
{
	return 100;
}

#ifndef SECTION
#define SECTION ".struct_ops"
#endif

SEC(SECTION)
struct tcp_congestion_ops steady = {
	.ssthresh = (void *)threshold,
	.cong_avoid = (void *)avoid,
	.undo_cwnd = (void *)undo,
	.name = "steady",
};

#ifdef WITH_SUCCESSOR
u64 avoided_anew;

SEC("struct_ops/avoid_anew")
void BPF_PROG(avoid_anew, struct sock *sk, u32 ack, u32 acked)
{
	__sync_fetch_and_add(&avoided_anew, acked);
}

SEC(SECTION)
struct tcp_congestion_ops successor = {
	.ssthresh = (void *)threshold,
	.cong_avoid = (void *)avoid_anew,
	.undo_cwnd = (void *)undo,
	.name = "steady",
};
#endif
