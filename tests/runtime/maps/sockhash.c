// A map of sockets by keys of one's own.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "GPL";

struct flow {
	u32 address;
	u16 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__type(key, struct flow);
	__type(value, u64);
	__uint(max_entries, 4);
} flows SEC(".maps");
