// A map of sockets that share a port.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 4);
} servers SEC(".maps");
