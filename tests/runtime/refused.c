// A program that the verifier refuses: it reads what a lookup may not have found.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 1);
} counts SEC(".maps");

SEC("tracepoint/syscalls/sys_enter_execve")
int careless(void *ctx)
{
	u32 zero = 0;
	u64 *value = bpf_map_lookup_elem(&counts, &zero);

	return *value;
}
