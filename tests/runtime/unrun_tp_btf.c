// A program of typed arguments, which only runs where it is attached.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

SEC("tp_btf/sys_enter")
int typed(u64 *ctx)
{
	return 0;
}
