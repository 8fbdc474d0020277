// Members that are called as something in Python, or in the generated text, is.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

struct inner {
	u32 from;
};

struct counters {
	u64 packets;
	u64 bytes;
	u32 tuple;
	u32 str;
	u32 rt;
	u32 v;
	u32 self;
	u32 cls;
	u32 buffer;
	u32 offset;
	u32 SIZE;
	u32 pack;
	u32 dataclass;
	u32 classmethod;
	u32 ClassVar;
	u32 NamesInner;
	u32 __hidden;
	u8 raw[4];
	u16 list[2];
	bool bool_flag;
	struct inner inner;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, struct counters);
	__uint(max_entries, 1);
} counters SEC(".maps");
