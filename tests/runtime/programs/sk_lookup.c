// A program that looks up the socket of a connection.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

u64 count;
u32 only_port;
u32 refuse;

/* The context, of include/uapi/linux/bpf.h. */
struct bpf_sk_lookup {
	u64 sk;
	u32 family;
	u32 protocol;
	u32 remote_ip4;
	u32 remote_ip6[4];
	u16 remote_port;
	u16 : 16;
	u32 local_ip4;
	u32 local_ip6[4];
	u32 local_port;
};

SEC("sk_lookup")
int looked_up(struct bpf_sk_lookup *ctx)
{
	if (ctx->local_port != only_port)
		return 1;
	count++;
	return refuse ? 0 : 1;
}
