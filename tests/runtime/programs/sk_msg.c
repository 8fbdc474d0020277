// A program for what the sockets of a map send.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

u64 count;
u32 refuse;

struct sk_msg_md;

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 4);
} sockets SEC(".maps");

SEC("sk_msg")
int message(struct sk_msg_md *ctx)
{
	count++;
	return refuse ? 0 : 1;
}
