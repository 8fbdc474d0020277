// Programs at traffic control, which let all pass.
#include "common.h"
#include "frames.h"

char __license[] SEC("license") = "Dual MIT/GPL";

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
