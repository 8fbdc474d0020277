// Programs on interfaces: each counts the frames of the tests and does what it is told.
#include "common.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

#define OURS 0x88b5 /* an EtherType for experiments, of IEEE 802 */

enum place { DROP_FIRST, DROP_SECOND, INCOMING, OUTGOING, PLACES };

u64 counts[PLACES];
u64 order[PLACES];
u64 runs;

struct ethernet {
	u8 to[6];
	u8 from[6];
	u16 type;
};

static bool is_ours(void *data, void *end)
{
	struct ethernet *header = data;

	return data + sizeof(*header) <= end && header->type == bpf_htons(OURS);
}

static bool count(enum place place, void *data, void *end)
{
	if (!is_ours(data, end))
		return false;
	counts[place]++;
	order[place] = ++runs;
	return true;
}

SEC("xdp")
int drop_first(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end, *data = (void *)(long)ctx->data;

	return count(DROP_FIRST, data, end) ? XDP_DROP : XDP_PASS;
}

SEC("xdp.frags")
int drop_second(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end, *data = (void *)(long)ctx->data;

	return count(DROP_SECOND, data, end) ? XDP_DROP : XDP_PASS;
}

SEC("xdp/devmap")
int redirected(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("tc")
int incoming(struct __sk_buff *skb)
{
	void *end = (void *)(long)skb->data_end, *data = (void *)(long)skb->data;

	count(INCOMING, data, end);
	return -1; /* TC_ACT_UNSPEC, TCX_NEXT */
}

SEC("tc")
int outgoing(struct __sk_buff *skb)
{
	void *end = (void *)(long)skb->data_end, *data = (void *)(long)skb->data;

	count(OUTGOING, data, end);
	return -1;
}
