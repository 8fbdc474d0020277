// Programs on what comes in at an interface, which drop the frames of the tests.
#include "common.h"
#include "frames.h"

char __license[] SEC("license") = "Dual MIT/GPL";

SEC("xdp")
int drop_first(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end, *data = (void *)(long)ctx->data;

	return count(DROP_FIRST, data, end) ? XDP_DROP : XDP_PASS;
}

SEC("xdp.frags")
int drop_second(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end, *data = (void *)(long)ctx->data;

	return count(DROP_SECOND, data, end) ? XDP_DROP : XDP_PASS;
}
