// Counts by error number how often one process failed to open a file.
#include "common.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char __license[] SEC("license") = "Dual MIT/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, u32);
	__uint(max_entries, 1);
} of_pid SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 64);
} errors SEC(".maps");

SEC("kretprobe/do_sys_openat2")
int returned(struct pt_regs *ctx)
{
	u32 zero = 0, number, *pid = bpf_map_lookup_elem(&of_pid, &zero);
	long result = PT_REGS_RC(ctx);
	u64 one = 1, *count;

	if (!pid || *pid != bpf_get_current_pid_tgid() >> 32 || result >= 0)
		return 0;
	number = -result;
	count = bpf_map_lookup_elem(&errors, &number);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&errors, &number, &one, BPF_ANY);
	return 0;
}
