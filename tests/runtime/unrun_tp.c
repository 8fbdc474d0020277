// A tracepoint program, which only runs where it is attached.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

SEC("tracepoint/syscalls/sys_enter_execve")
int on_execve(void *ctx)
{
	return 0;
}
