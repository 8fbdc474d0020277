// Programs at kernel functions and system calls.
#include "common.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char __license[] SEC("license") = "Dual MIT/GPL";

enum place { FUNCTION, CALL, RESULT, MANY, MANY_RESULTS, PLACES };

u64 counts[PLACES];
u64 cookie_sum;
long result;
u32 only_pid;

static bool ours(enum place place)
{
	if (bpf_get_current_pid_tgid() >> 32 != only_pid)
		return false;
	__sync_fetch_and_add(&counts[place], 1);
	return true;
}

SEC("kprobe/do_unlinkat")
int function(struct pt_regs *ctx)
{
	if (ours(FUNCTION))
		__sync_fetch_and_add(&cookie_sum, bpf_get_attach_cookie(ctx));
	return 0;
}

SEC("ksyscall/getppid")
int call(struct pt_regs *ctx)
{
	ours(CALL);
	return 0;
}

SEC("kretsyscall/getppid")
int BPF_KRETPROBE(call_result, long value)
{
	if (ours(RESULT))
		result = value;
	return 0;
}

SEC("?kprobe.multi/do_unlink?t")
int many(struct pt_regs *ctx)
{
	if (ours(MANY))
		__sync_fetch_and_add(&cookie_sum, bpf_get_attach_cookie(ctx));
	return 0;
}

SEC("?kretprobe.multi")
int many_results(struct pt_regs *ctx)
{
	ours(MANY_RESULTS);
	return 0;
}
