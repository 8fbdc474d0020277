// What most tests load: maps of plain values, and a program that notes who makes system calls.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

struct owner {
	u32 pid;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 4);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, u32);
	__type(value, struct owner);
	__uint(max_entries, 8);
} owners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, char[8]);
	__type(value, s64);
	__uint(max_entries, 8);
} by_name SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 1);
} per_cpu SEC(".maps");

SEC("raw_tracepoint/sys_enter")
int on_any_call(void *ctx)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct owner owner = { .pid = pid };

	bpf_get_current_comm(owner.comm, sizeof(owner.comm));
	bpf_map_update_elem(&owners, &pid, &owner, BPF_ANY);
	return 0;
}
