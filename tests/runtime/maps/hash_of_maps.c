// A map of maps by keys of one's own, and one like those that go into it.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "GPL";

struct flow {
	u32 address;
	u16 port;
};

struct note {
	u32 count;
	char text[12];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, u32);
	__type(value, struct note);
	__uint(max_entries, 8);
} notes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, struct flow);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_HASH);
			__type(key, u32);
			__type(value, struct note);
			__uint(max_entries, 8);
		});
} by_flow SEC(".maps");
