// A raw tracepoint program that the tests run without attaching it.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

SEC("raw_tp/sys_enter")
int arguments(u64 *ctx)
{
	return ctx[0] + 10 * bpf_get_smp_processor_id();
}
