// A program at a raw tracepoint.
#include "common.h"
#include "probes.h"

char __license[] SEC("license") = "Dual MIT/GPL";

SEC("raw_tp/sys_enter")
int on_any_call(struct bpf_raw_tracepoint_args *ctx)
{
	return count(RAW, 0, ctx->args[1]);
}
