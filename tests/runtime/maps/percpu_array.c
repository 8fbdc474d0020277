// A program that counts for the CPU it runs on.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 1);
} cpu_calls SEC(".maps");

u32 watched;

SEC("raw_tracepoint/sys_enter")
int count_on_cpu(void *ctx)
{
	u32 index = 0;
	u64 *count = bpf_map_lookup_elem(&cpu_calls, &index);

	if (count && bpf_get_current_pid_tgid() >> 32 == watched)
		*count += 1;
	return 0;
}
