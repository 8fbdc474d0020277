// A Bloom filter.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__type(value, u64);
	__uint(max_entries, 100);
} seen SEC(".maps");
