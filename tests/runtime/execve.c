// Programs at tracepoints: at the one that the section names, and at any.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 4);
} counts SEC(".maps");

static void count(u32 index)
{
	u64 *value = bpf_map_lookup_elem(&counts, &index);

	if (value)
		__sync_fetch_and_add(value, 1);
}

SEC("tracepoint/syscalls/sys_enter_execve")
int on_execve(void *ctx)
{
	count(0);
	return 0;
}

SEC("tp")
int anywhere(void *ctx)
{
	count(1);
	return 0;
}
