// A program of netfilter, of Linux 6.4 and libbpf 1.3.
#include "common.h"
#include "counting.h"

char __license[] SEC("license") = "Dual MIT/GPL";

SEC("netfilter")
int filtered(void *ctx)
{
	count(0);
	return 1; /* NF_ACCEPT */
}
