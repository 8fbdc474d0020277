// A program that dissects headers.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

u64 count;

SEC("flow_dissector")
int dissected(struct __sk_buff *ctx)
{
	count++;
	return 0; /* BPF_OK */
}
