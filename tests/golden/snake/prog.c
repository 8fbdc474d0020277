// Names as C has them, but for those that Python or the runtime's classes have taken.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

struct flow_key {
	u32 pid;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct flow_key);
	__type(value, u64);
	__uint(max_entries, 8);
} flow_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 1);
} lambda SEC(".maps");

SEC("kprobe/close_fd")
int close(struct pt_regs *ctx)
{
	return 0;
}

SEC("kprobe/load_elf_binary")
int load(struct pt_regs *ctx)
{
	return 0;
}

SEC("kprobe/x")
int _private_probe(struct pt_regs *ctx)
{
	return 0;
}
