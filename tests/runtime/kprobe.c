// A program at a kernel function.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

SEC("kprobe/sys_execve")
int on_function(struct pt_regs *ctx)
{
	return 0;
}
