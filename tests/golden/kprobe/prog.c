// Counts how often a process calls execve.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

// How often, in its only element.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 1);
} kprobe_map SEC(".maps");

SEC("kprobe/sys_execve")
int kprobe_execve(struct pt_regs *ctx)
{
	u32 key = 0;
	u64 *count = bpf_map_lookup_elem(&kprobe_map, &key);

	if (count)
		__sync_fetch_and_add(count, 1);
	return 0;
}
