// Programs of sockets: filters, choosers among sockets, programs of sockmaps, and a flow dissector.
#include "common.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

enum place { FILTERED, CHOSEN, LOOKED_UP, MESSAGE, PARSED, VERDICT, DISSECTED, PLACES };

u64 counts[PLACES];
u32 keep = 4;
u32 choice;
u32 only_port;
u32 refuse;

struct sk_reuseport_md;

/* The contexts, of include/uapi/linux/bpf.h, as far as they are read here. */
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

struct sk_msg_md {
	u64 data, data_end;
};

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 4);
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 4);
} group SEC(".maps");

SEC("socket")
int filtered(struct __sk_buff *ctx)
{
	counts[FILTERED]++;
	return keep;
}

SEC("sk_reuseport")
int chosen(struct sk_reuseport_md *ctx)
{
	counts[CHOSEN]++;
	bpf_sk_select_reuseport(ctx, &group, &choice, 0);
	return 1; /* SK_PASS */
}

SEC("sk_lookup")
int looked_up(struct bpf_sk_lookup *ctx)
{
	if (ctx->local_port != only_port)
		return 1;
	counts[LOOKED_UP]++;
	return refuse ? 0 : 1;
}

SEC("sk_msg")
int message(struct sk_msg_md *ctx)
{
	counts[MESSAGE]++;
	return refuse ? 0 : 1;
}

SEC("sk_skb/stream_parser")
int parsed(struct __sk_buff *ctx)
{
	counts[PARSED]++;
	return ctx->len;
}

SEC("sk_skb/stream_verdict")
int verdict(struct __sk_buff *ctx)
{
	counts[VERDICT]++;
	return refuse ? 0 : 1;
}

SEC("flow_dissector")
int dissected(struct __sk_buff *ctx)
{
	counts[DISSECTED]++;
	return 0; /* BPF_OK */
}
