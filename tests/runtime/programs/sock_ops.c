// A program for the turns that connections of a cgroup take.
#include "common.h"
#include "groups.h"

char __license[] SEC("license") = "Dual MIT/GPL";

struct bpf_sock_ops;

SEC("sockops")
int turned(struct bpf_sock_ops *ctx)
{
	__sync_fetch_and_add(&counts[TURN], 1);
	return 1;
}
