// Programs of a pair of netkit interfaces, of Linux 6.7 and libbpf 1.3.
#include "common.h"
#include "counting.h"

char __license[] SEC("license") = "Dual MIT/GPL";

SEC("netkit/primary")
int primary(struct __sk_buff *ctx)
{
	return count(0);
}

SEC("netkit/peer")
int peer(struct __sk_buff *ctx)
{
	return count(1);
}
