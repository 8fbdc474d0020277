// Programs for the packets of a cgroup.
#include "common.h"
#include "groups.h"

char __license[] SEC("license") = "Dual MIT/GPL";

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
