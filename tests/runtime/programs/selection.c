// Programs of several kinds, of which attach() of the whole takes those that say to what.
#include "common.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char __license[] SEC("license") = "Dual MIT/GPL";

u64 counts[4];
const volatile u32 only_pid = 0;

static int count(int index)
{
	if (bpf_get_current_pid_tgid() >> 32 == only_pid)
		__sync_fetch_and_add(&counts[index], 1);
	return 0;
}

SEC("raw_tp/sys_enter")
int first(void *ctx)
{
	return count(0);
}

SEC("raw_tp/sys_exit")
int second(void *ctx)
{
	return count(1);
}

SEC("raw_tp")
int without_target(void *ctx)
{
	return count(2);
}

SEC("xdp")
int on_interface(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("syscall")
int called(void *ctx)
{
	return 0;
}

SEC("?raw_tp/no_such_tracepoint")
int third(void *ctx)
{
	return count(3);
}
