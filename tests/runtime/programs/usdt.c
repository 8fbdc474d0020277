// A program at a static probe of user space.
#include "common.h"
#include "probes.h"
#include <bpf/usdt.bpf.h>

char __license[] SEC("license") = "Dual MIT/GPL";

SEC("usdt")
int BPF_USDT(probed, int argument)
{
	return count(STATIC, bpf_usdt_cookie(ctx), argument);
}
