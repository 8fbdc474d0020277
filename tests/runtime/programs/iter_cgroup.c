// An iterator over cgroups.
#include "common.h"
#include "iterators.h"

char __license[] SEC("license") = "Dual MIT/GPL";

struct kernfs_node {
	const char *name;
} FROM_BTF;

struct cgroup {
	struct kernfs_node *kn;
} FROM_BTF;

struct bpf_iter__cgroup {
	struct bpf_iter_meta *meta;
	struct cgroup *cgroup;
} FROM_BTF;

SEC("iter/cgroup")
int groups(struct bpf_iter__cgroup *ctx)
{
	struct cgroup *cgroup = ctx->cgroup;
	char name[64];

	if (!cgroup)
		return 0;
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(cgroup, kn, name));
	BPF_SEQ_PRINTF(ctx->meta->seq, "%s\n", name);
	return 0;
}
