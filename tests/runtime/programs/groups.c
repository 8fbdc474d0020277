// Programs of a cgroup: each counts, and refuses what the tests have it refuse.
#include "common.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

enum place {
	CREATED, INCOMING, OUTGOING, EITHER, BOUND, CONNECTED, SENT, RECEIVED, READ_OPTION, SET_OPTION,
	SYSCTL, DEVICE, TURN, SECOND, PLACES
};

u64 counts[PLACES];
u32 only_port;
u32 refuse;

/* The contexts, of include/uapi/linux/bpf.h. */
struct bpf_sock;

struct bpf_sock_addr {
	u32 user_family;
	u32 user_ip4;
	u32 user_ip6[4];
	u32 user_port;
};

struct bpf_sockopt {
	u64 sk, optval, optval_end;
	s32 level, optname, optlen, retval;
};

struct bpf_sysctl {
	u32 write, file_pos;
};

struct bpf_cgroup_dev_ctx {
	u32 access_type, major, minor;
};

struct bpf_sock_ops {
	u32 op;
};

static int allow(enum place place)
{
	__sync_fetch_and_add(&counts[place], 1);
	return refuse ? 0 : 1;
}

static int allow_port(enum place place, struct bpf_sock_addr *ctx)
{
	return bpf_ntohs(ctx->user_port) == only_port ? allow(place) : 1;
}

SEC("cgroup/sock_create")
int created(struct bpf_sock *ctx)
{
	return allow(CREATED);
}

SEC("cgroup_skb/ingress")
int incoming(struct __sk_buff *ctx)
{
	return allow(INCOMING);
}

SEC("cgroup_skb/egress")
int outgoing(struct __sk_buff *ctx)
{
	return allow(OUTGOING);
}

SEC("cgroup/skb")
int either(struct __sk_buff *ctx)
{
	return allow(EITHER);
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

SEC("cgroup/getsockopt")
int read_option(struct bpf_sockopt *ctx)
{
	ctx->optlen = 0; /* the kernel's own answer, whatever its size */
	return allow(READ_OPTION);
}

SEC("cgroup/setsockopt")
int set_option(struct bpf_sockopt *ctx)
{
	ctx->optlen = -1; /* the kernel is to handle it */
	return allow(SET_OPTION);
}

SEC("cgroup/sysctl")
int sysctl(struct bpf_sysctl *ctx)
{
	return allow(SYSCTL);
}

SEC("cgroup/dev")
int device(struct bpf_cgroup_dev_ctx *ctx)
{
	return allow(DEVICE);
}

SEC("sockops")
int turned(struct bpf_sock_ops *ctx)
{
	__sync_fetch_and_add(&counts[TURN], 1);
	return 1;
}

SEC("cgroup/sock_create")
int second(struct bpf_sock *ctx)
{
	return allow(SECOND);
}
