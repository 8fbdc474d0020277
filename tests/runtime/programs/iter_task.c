// An iterator over tasks.
#include "common.h"
#include "iterators.h"

char __license[] SEC("license") = "Dual MIT/GPL";

struct task_struct {
	int pid;
	int tgid;
} FROM_BTF;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} FROM_BTF;

SEC("iter/task")
int tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%d %d\n", task->tgid, task->pid);
	return 0;
}
