// Maps of network devices by index.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "GPL";

// struct bpf_devmap_val of the kernel's linux/bpf.h.
struct device {
	u32 ifindex;
	int program;
};

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__type(key, u32);
	__type(value, u32);
	__uint(max_entries, 4);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__type(key, u32);
	__type(value, struct device);
	__uint(max_entries, 4);
} device_programs SEC(".maps");
