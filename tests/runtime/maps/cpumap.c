// A map of CPUs.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "GPL";

// struct bpf_cpumap_val of the kernel's linux/bpf.h.
struct processor {
	u32 queue_size;
	int program;
};

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__type(key, u32);
	__type(value, struct processor);
	__uint(max_entries, 64);
} processors SEC(".maps");
