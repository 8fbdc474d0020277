// A program at a tracepoint.
#include "common.h"
#include "probes.h"

char __license[] SEC("license") = "Dual MIT/GPL";

SEC("tp/syscalls/sys_enter_getppid")
int on_getppid(void *ctx)
{
	return count(TRACEPOINT, bpf_get_attach_cookie(ctx), 0);
}
