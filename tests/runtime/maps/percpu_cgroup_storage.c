// Values that belong to a program of a cgroup, one for each CPU.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE);
	__type(key, u64);
	__type(value, u64);
} cpu_packets SEC(".maps");

SEC("cgroup_skb/egress")
int count_packets_by_cpu(void *skb)
{
	u64 *count = bpf_get_local_storage(&cpu_packets, 0);

	*count += 1;
	return 1;
}
