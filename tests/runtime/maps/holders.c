// Maps of the kernel's own objects, and of other maps; programs that use them.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "GPL";

// struct bpf_devmap_val and struct bpf_cpumap_val of the kernel's linux/bpf.h.
struct device {
	u32 ifindex;
	int program;
};

struct processor {
	u32 queue_size;
	int program;
};

struct flow {
	u32 address;
	u16 port;
};

// struct bpf_cgroup_storage_key of the kernel's linux/bpf.h.
struct attachment {
	u64 cgroup_id;
	u32 attach_type;
};

struct note {
	u32 count;
	char text[12];
};

#define MAP(_name, _type, _key, _value, _entries)                                                  \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_##_type);                                                \
		__type(key, _key);                                                                 \
		__type(value, _value);                                                             \
		__uint(max_entries, _entries);                                                     \
	} _name SEC(".maps")

#define STORAGE(_name, _type)                                                                      \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_##_type);                                                \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                              \
		__type(key, int);                                                                  \
		__type(value, struct note);                                                        \
	} _name SEC(".maps")

MAP(calls, ARRAY, u32, u64, 2);

MAP(cpu_calls, PERCPU_ARRAY, u32, u64, 1);

MAP(steps, PROG_ARRAY, u32, u32, 4);
MAP(sockets, SOCKMAP, u32, u64, 4);
MAP(unread_sockets, SOCKMAP, u32, u32, 4);
MAP(flows, SOCKHASH, struct flow, u64, 4);
MAP(servers, REUSEPORT_SOCKARRAY, u32, u64, 4);
MAP(xsks, XSKMAP, u32, u32, 4);
MAP(cgroups, CGROUP_ARRAY, u32, u32, 4);

MAP(devices, DEVMAP, u32, u32, 4);
MAP(device_programs, DEVMAP, u32, struct device, 4);
MAP(devices_by_mark, DEVMAP_HASH, u32, u32, 4);
MAP(processors, CPUMAP, u32, struct processor, 64);

STORAGE(of_socket, SK_STORAGE);
STORAGE(of_task, TASK_STORAGE);
STORAGE(of_inode, INODE_STORAGE);
STORAGE(of_cgroup, CGRP_STORAGE);

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, struct attachment);
	__type(value, u64);
} packets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE);
	__type(key, u64);
	__type(value, u64);
} cpu_packets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(key_size, sizeof(u32));
	__uint(value_size, 20 * sizeof(u64));
	__uint(max_entries, 64);
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(key_size, sizeof(u32));
	__uint(value_size, 20 * 32);
	__uint(map_flags, BPF_F_STACK_BUILD_ID);
	__uint(max_entries, 64);
} build_ids SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 3);
};

struct inner first SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, u32);
	__array(values, struct inner);
} by_index SEC(".maps") = {
	.values = { [1] = &first },
};

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

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(u32));
} untold SEC(".maps");

u64 stack_id;
u32 watched;

SEC("raw_tracepoint/sys_enter")
int call(void *ctx)
{
	u32 index = 0;
	u64 *count = bpf_map_lookup_elem(&calls, &index);

	if (bpf_get_current_pid_tgid() >> 32 != watched)
		return 0;
	if (count)
		__sync_fetch_and_add(count, 1);
	bpf_tail_call(ctx, &steps, 2);
	return 0;
}

SEC("raw_tracepoint/sys_enter")
int step(void *ctx)
{
	u32 index = 1;
	u64 *count = bpf_map_lookup_elem(&calls, &index);

	if (count)
		__sync_fetch_and_add(count, 1);
	return 0;
}

SEC("raw_tracepoint/sys_enter")
int count_on_cpu(void *ctx)
{
	u32 index = 0;
	u64 *count = bpf_map_lookup_elem(&cpu_calls, &index);

	if (count && bpf_get_current_pid_tgid() >> 32 == watched)
		*count += 1;
	return 0;
}

SEC("raw_tracepoint/sys_enter")
int take_stack(void *ctx)
{
	if (bpf_get_current_pid_tgid() >> 32 != watched)
		return 0;
	stack_id = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
	bpf_get_stackid(ctx, &build_ids, BPF_F_USER_STACK);
	return 0;
}

SEC("cgroup_skb/egress")
int count_packets(void *skb)
{
	u64 *count = bpf_get_local_storage(&packets, 0);

	__sync_fetch_and_add(count, 1);
	return 1;
}

SEC("cgroup_skb/egress")
int count_packets_by_cpu(void *skb)
{
	u64 *count = bpf_get_local_storage(&cpu_packets, 0);

	*count += 1;
	return 1;
}
