// Programs at many functions of user space, of Linux 6.6 and libbpf 1.3.
#include "common.h"
#include "counting.h"
#include <bpf/bpf_tracing.h>

char __license[] SEC("license") = "Dual MIT/GPL";

u64 cookie_sum;

SEC("uprobe.multi")
int entered(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&cookie_sum, bpf_get_attach_cookie(ctx));
	count(0);
	return 0;
}

SEC("uretprobe.multi")
int returned(struct pt_regs *ctx)
{
	count(1);
	return 0;
}
