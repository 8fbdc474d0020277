// A program that writes to what a raw tracepoint gives it.
#include "common.h"
#include "probes.h"

char __license[] SEC("license") = "Dual MIT/GPL";

SEC("raw_tp.w/bpf_test_finish")
int change_result(struct bpf_raw_tracepoint_args *ctx)
{
	*(int *)ctx->args[0] = -77;
	return 0;
}
