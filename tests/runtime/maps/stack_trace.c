// Maps of stacks, and a program that takes one.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(key_size, sizeof(u32));
	__uint(value_size, 20 * sizeof(u64));
	__uint(max_entries, 64);
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(key_size, sizeof(u32));
	__uint(value_size, 20 * 32);
	__uint(map_flags, BPF_F_STACK_BUILD_ID);
	__uint(max_entries, 64);
} build_ids SEC(".maps");

u64 stack_id;
u32 watched;

SEC("raw_tracepoint/sys_enter")
int take_stack(void *ctx)
{
	if ((u32)bpf_get_current_pid_tgid() != watched)
		return 0;
	stack_id = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
	bpf_get_stackid(ctx, &build_ids, BPF_F_USER_STACK);
	return 0;
}
