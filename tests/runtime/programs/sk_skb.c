// Programs for what the sockets of a map receive.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

u64 parsed_count, verdict_count;
u32 refuse;

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 4);
} sockets SEC(".maps");

SEC("sk_skb/stream_parser")
int parsed(struct __sk_buff *ctx)
{
	parsed_count++;
	return ctx->len;
}

SEC("sk_skb/stream_verdict")
int verdict(struct __sk_buff *ctx)
{
	verdict_count++;
	return refuse ? 0 : 1;
}
