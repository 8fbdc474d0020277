// XDP programs that the tests run without attaching them.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

u64 runs;

SEC("xdp")
int grow(struct xdp_md *ctx)
{
	runs++;
	if (bpf_xdp_adjust_tail(ctx, 200) || bpf_xdp_adjust_head(ctx, -100))
		return XDP_ABORTED;
	return XDP_TX;
}

SEC("xdp")
int count(struct xdp_md *ctx)
{
	runs++;
	return XDP_PASS;
}

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("?xdp")
int switched_off(struct xdp_md *ctx)
{
	return XDP_PASS;
}
