// A program for perf events: it counts for each CPU, and notes the cookie.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

#define CPUS 512

u64 counts[CPUS];
u64 cookie;
const volatile u32 only_pid = 0;

SEC("perf_event")
int on_event(void *ctx)
{
	u32 cpu = bpf_get_smp_processor_id();

	if (only_pid && bpf_get_current_pid_tgid() >> 32 != only_pid)
		return 0;
	if (cpu < CPUS)
		__sync_fetch_and_add(&counts[cpu], 1);
	cookie = bpf_get_attach_cookie(ctx);
	return 0;
}
