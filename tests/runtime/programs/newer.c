// Programs of sections that libbpf 1.1 does not know.
#include "common.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char __license[] SEC("license") = "Dual MIT/GPL";

u64 counts[8];
u64 order[8];
u64 runs;
u64 cookie_sum;

static int count(int index)
{
	__sync_fetch_and_add(&counts[index], 1);
	order[index] = __sync_fetch_and_add(&runs, 1) + 1;
	return -1; /* TCX_NEXT */
}

SEC("tcx/ingress")
int incoming(struct __sk_buff *ctx)
{
	return count(0);
}

SEC("tcx/ingress")
int incoming_too(struct __sk_buff *ctx)
{
	return count(1);
}

SEC("tc/egress")
int outgoing(struct __sk_buff *ctx)
{
	return count(2);
}

SEC("uprobe.multi")
int entered(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&cookie_sum, bpf_get_attach_cookie(ctx));
	count(3);
	return 0;
}

SEC("uretprobe.multi")
int returned(struct pt_regs *ctx)
{
	count(4);
	return 0;
}

SEC("netfilter")
int filtered(void *ctx)
{
	count(5);
	return 1; /* NF_ACCEPT */
}

SEC("netkit/primary")
int primary(struct __sk_buff *ctx)
{
	return count(6);
}

SEC("netkit/peer")
int peer(struct __sk_buff *ctx)
{
	return count(7);
}
