#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "GPL";

struct prefix {
	u32 bits;
	u8 address[4];
};

struct entry {
	u64 count;
};

#define MAP(_name, _type, _key, _value)                                                            \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_##_type);                                                \
		__type(key, _key);                                                                 \
		__type(value, _value);                                                             \
		__uint(max_entries, 8);                                                            \
	} _name SEC(".maps")

#define VALUES(_name, _type, _value)                                                               \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_##_type);                                                \
		__type(value, _value);                                                             \
		__uint(max_entries, 8);                                                            \
	} _name SEC(".maps")

MAP(entries, HASH, u32, struct entry);
MAP(recent, LRU_HASH, u32, struct entry);
MAP(cpu_entries, PERCPU_HASH, u32, struct entry);
MAP(recent_cpu_entries, LRU_PERCPU_HASH, u32, u64);
MAP(routes, LPM_TRIE, struct prefix, u32);
MAP(counts, ARRAY, u32, u64);
MAP(cpu_counts, PERCPU_ARRAY, u32, u64);
VALUES(line, QUEUE, struct entry);
VALUES(pile, STACK, u32);
VALUES(seen, BLOOM_FILTER, u32);
MAP(steps, PROG_ARRAY, u32, u32);
MAP(groups, CGROUP_ARRAY, u32, u32);
MAP(stacks, STACK_TRACE, u32, u64[127]);
MAP(devices, DEVMAP, u32, u32);
MAP(devices_by_mark, DEVMAP_HASH, u32, u32);
MAP(processors, CPUMAP, u32, u32);
MAP(xsks, XSKMAP, u32, u32);
MAP(sockets, SOCKMAP, u32, u64);
MAP(flows, SOCKHASH, struct prefix, u64);
MAP(servers, REUSEPORT_SOCKARRAY, u32, u64);
MAP(of_socket, SK_STORAGE, int, struct entry);
MAP(of_task, TASK_STORAGE, int, u64);
MAP(of_inode, INODE_STORAGE, int, u64);
MAP(of_cgroup, CGRP_STORAGE, int, u64);
MAP(packets, CGROUP_STORAGE, u64, u64);
MAP(cpu_packets, PERCPU_CGROUP_STORAGE, u64, u64);

struct inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, u32);
	__type(value, struct entry);
	__uint(max_entries, 8);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__type(key, u32);
	__uint(max_entries, 8);
	__array(values, struct inner);
} by_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__type(key, struct prefix);
	__uint(max_entries, 8);
	__array(values, struct inner);
} by_prefix SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 8);
} memory SEC(".maps");
