// Programs in user space code and at the kernel's tracepoints, each counting at an index of its own.
#include "common.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

char __license[] SEC("license") = "Dual MIT/GPL";

enum place { ENTRY, RETURN, STATIC, TRACEPOINT, RAW, TYPED, PLACES };

u64 counts[PLACES];
u64 cookies[PLACES];
long seen[PLACES];
const volatile u32 only_pid = 0;

static int count(enum place place, u64 cookie, long value)
{
	if (only_pid && bpf_get_current_pid_tgid() >> 32 != only_pid)
		return 0;
	__sync_fetch_and_add(&counts[place], 1);
	cookies[place] = cookie;
	seen[place] = value;
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(entered, int argument)
{
	return count(ENTRY, bpf_get_attach_cookie(ctx), argument);
}

SEC("uretprobe")
int BPF_KRETPROBE(returned, int result)
{
	return count(RETURN, bpf_get_attach_cookie(ctx), result);
}

SEC("uprobe/no-such-program-anywhere:work")
int nowhere(struct pt_regs *ctx)
{
	return 0;
}

SEC("usdt")
int BPF_USDT(probed, int argument)
{
	return count(STATIC, bpf_usdt_cookie(ctx), argument);
}

SEC("tp/syscalls/sys_enter_getppid")
int on_getppid(void *ctx)
{
	return count(TRACEPOINT, bpf_get_attach_cookie(ctx), 0);
}

SEC("raw_tp/sys_enter")
int on_any_call(struct bpf_raw_tracepoint_args *ctx)
{
	return count(RAW, 0, ctx->args[1]);
}

SEC("raw_tp.w/bpf_test_finish")
int change_result(struct bpf_raw_tracepoint_args *ctx)
{
	*(int *)ctx->args[0] = -77;
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_any_call_typed, struct pt_regs *regs, long number)
{
	return count(TYPED, 0, number);
}
