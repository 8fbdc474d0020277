// As little as has everything that a collection holds: a map, data, and a program that attaches.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 1);
} leak_map SEC(".maps");

u64 leak_calls;

SEC("raw_tracepoint/sys_enter")
int leak_program(void *ctx)
{
	u32 zero = 0;
	u64 *value = bpf_map_lookup_elem(&leak_map, &zero);

	if (value)
		__sync_fetch_and_add(value, 1);
	leak_calls++;
	return 0;
}
