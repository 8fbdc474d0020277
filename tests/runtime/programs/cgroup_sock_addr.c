// Programs for the addresses that sockets of a cgroup use.
#include "common.h"
#include "groups.h"

char __license[] SEC("license") = "Dual MIT/GPL";

/* The context, of include/uapi/linux/bpf.h. */
struct bpf_sock_addr {
	u32 user_family;
	u32 user_ip4;
	u32 user_ip6[4];
	u32 user_port;
};

static int allow_port(enum place place, struct bpf_sock_addr *ctx)
{
	return bpf_ntohs(ctx->user_port) == only_port ? allow(place) : 1;
}

SEC("cgroup/bind4")
int bound(struct bpf_sock_addr *ctx)
{
	return allow_port(BOUND, ctx);
}

SEC("cgroup/connect4")
int connected(struct bpf_sock_addr *ctx)
{
	return allow_port(CONNECTED, ctx);
}

SEC("cgroup/sendmsg4")
int sent(struct bpf_sock_addr *ctx)
{
	return allow_port(SENT, ctx);
}

SEC("cgroup/recvmsg4")
int received(struct bpf_sock_addr *ctx)
{
	__sync_fetch_and_add(&counts[RECEIVED], 1);
	return 1;
}
