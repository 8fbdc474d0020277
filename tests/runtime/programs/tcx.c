// Programs at traffic control that are links (tcx), of Linux 6.6 and libbpf 1.3.
#include "common.h"
#include "counting.h"

char __license[] SEC("license") = "Dual MIT/GPL";

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
