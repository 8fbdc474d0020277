// Values that belong to a program of a cgroup.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "GPL";

// struct bpf_cgroup_storage_key of the kernel's linux/bpf.h.
struct attachment {
	u64 cgroup_id;
	u32 attach_type;
};

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, struct attachment);
	__type(value, u64);
} packets SEC(".maps");

SEC("cgroup_skb/egress")
int count_packets(void *skb)
{
	u64 *count = bpf_get_local_storage(&packets, 0);

	__sync_fetch_and_add(count, 1);
	return 1;
}
