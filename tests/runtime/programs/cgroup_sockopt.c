// Programs for the socket options of a cgroup.
#include "common.h"
#include "groups.h"

char __license[] SEC("license") = "Dual MIT/GPL";

/* The context, of include/uapi/linux/bpf.h. */
struct bpf_sockopt {
	u64 sk, optval, optval_end;
	s32 level, optname, optlen, retval;
};

SEC("cgroup/getsockopt")
int read_option(struct bpf_sockopt *ctx)
{
	ctx->optlen = 0; /* the kernel's own answer, whatever its size */
	return allow(READ_OPTION);
}

SEC("cgroup/setsockopt")
int set_option(struct bpf_sockopt *ctx)
{
	ctx->optlen = -1; /* the kernel is to handle it */
	return allow(SET_OPTION);
}
