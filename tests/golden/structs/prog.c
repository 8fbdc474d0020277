// Every kind of member that has a type of its own, in the keys and values of maps.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

enum state {
	STATE_OPEN,
	STATE_CLOSED = 5,
};

typedef struct {
	u32 seconds;
	u32 nanoseconds;
} moment_t;

struct address {
	u8 bytes_of_it[6];
	u16 port;
};

struct key {
	struct address source;
	struct address target;
};

struct value {
	char comm[16];
	u64 counts[4];
	moment_t first;
	enum state state;
	bool alive;
	double share;
	void *task;
	s64 delta;
	union {
		u32 v4;
		u8 v6[16];
	} ip;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct key);
	__type(value, struct value);
	__uint(max_entries, 1024);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, u32);
	__type(value, moment_t);
	__uint(max_entries, 16);
} moments SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(key_size, sizeof(u32));
	__uint(value_size, 12);
	__uint(max_entries, 2);
} blobs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, u16[3]);
	__uint(max_entries, 1);
} triples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

SEC("tracepoint/syscalls/sys_enter_openat")
int enter_openat(void *ctx)
{
	return 0;
}

SEC("kretprobe/do_sys_openat2")
int leave_openat(struct pt_regs *ctx)
{
	return 0;
}

SEC("xdp")
int drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}
