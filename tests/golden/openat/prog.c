// Writes who opens which file to the trace pipe, and counts.
#include "common.h"
#include <bpf/bpf_helpers.h>
#include "bpf_tracing.h"

char __license[] SEC("license") = "Dual MIT/GPL";

// How often, in its only element.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 1);
} kprobe_map SEC(".maps");

SEC("kprobe/do_sys_openat2")
int kprobe_openat2(struct pt_regs *ctx)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	char filename[20];
	const char *fp = (char *)PT_REGS_PARM2(ctx);
	long err = bpf_probe_read_user_str(filename, sizeof(filename), fp);
	u32 key = 0;
	u64 *count;

	bpf_printk("pid:%d,filename:%s,err:%ld", pid, filename, err);

	count = bpf_map_lookup_elem(&kprobe_map, &key);
	if (count)
		__sync_fetch_and_add(count, 1);
	return 0;
}
