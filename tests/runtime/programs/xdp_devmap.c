// A program of an entry of a device map.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

SEC("xdp/devmap")
int redirected(struct xdp_md *ctx)
{
	return XDP_PASS;
}
