// Programs for the making of sockets in a cgroup.
#include "common.h"
#include "groups.h"

char __license[] SEC("license") = "Dual MIT/GPL";

struct bpf_sock;

SEC("cgroup/sock_create")
int created(struct bpf_sock *ctx)
{
	return allow(CREATED);
}

SEC("cgroup/sock_create")
int second(struct bpf_sock *ctx)
{
	return allow(SECOND);
}
