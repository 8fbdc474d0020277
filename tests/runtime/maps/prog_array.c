// A map of programs, and a program that calls what is there.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 2);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__type(key, u32);
	__type(value, u32);
	__uint(max_entries, 4);
} steps SEC(".maps");

u32 watched;

SEC("raw_tracepoint/sys_enter")
int call(void *ctx)
{
	u32 index = 0;
	u64 *count = bpf_map_lookup_elem(&calls, &index);

	if (bpf_get_current_pid_tgid() >> 32 != watched)
		return 0;
	if (count)
		__sync_fetch_and_add(count, 1);
	bpf_tail_call(ctx, &steps, 2);
	return 0;
}

SEC("raw_tracepoint/sys_enter")
int step(void *ctx)
{
	u32 index = 1;
	u64 *count = bpf_map_lookup_elem(&calls, &index);

	if (count)
		__sync_fetch_and_add(count, 1);
	return 0;
}
