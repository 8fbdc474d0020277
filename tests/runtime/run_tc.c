// A program at traffic control that the tests run without attaching it.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

u64 runs;

SEC("tc")
int mark(struct __sk_buff *skb)
{
	runs++;
	skb->mark += skb->len;
	return -1;
}
