// A program that chooses among the sockets of a port.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

u64 count;
u32 choice;

struct sk_reuseport_md;

struct {
	__uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 4);
} group SEC(".maps");

SEC("sk_reuseport")
int chosen(struct sk_reuseport_md *ctx)
{
	count++;
	bpf_sk_select_reuseport(ctx, &group, &choice, 0);
	return 1; /* SK_PASS */
}
