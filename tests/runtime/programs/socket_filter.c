// A program that says how much of a packet a socket gets.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

u64 count;
u32 keep = 4;

SEC("socket")
int filtered(struct __sk_buff *ctx)
{
	count++;
	return keep;
}
