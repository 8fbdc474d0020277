// A map of network devices by keys of one's own.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__type(key, u32);
	__type(value, u32);
	__uint(max_entries, 4);
} devices_by_mark SEC(".maps");
