// A program for the settings of the kernel that a cgroup reads and writes.
#include "common.h"
#include "groups.h"

char __license[] SEC("license") = "Dual MIT/GPL";

struct bpf_sysctl;

SEC("cgroup/sysctl")
int sysctl(struct bpf_sysctl *ctx)
{
	return allow(SYSCTL);
}
