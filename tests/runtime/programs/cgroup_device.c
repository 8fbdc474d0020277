// A program for the devices that a cgroup opens.
#include "common.h"
#include "groups.h"

char __license[] SEC("license") = "Dual MIT/GPL";

struct bpf_cgroup_dev_ctx;

SEC("cgroup/dev")
int device(struct bpf_cgroup_dev_ctx *ctx)
{
	return allow(DEVICE);
}
