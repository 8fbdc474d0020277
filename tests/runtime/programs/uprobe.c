// Programs at functions of user space: at their begin, their return, and where none is.
#include "common.h"
#include "probes.h"

char __license[] SEC("license") = "Dual MIT/GPL";

SEC("uprobe")
int BPF_KPROBE(entered, int argument)
{
	return count(ENTRY, bpf_get_attach_cookie(ctx), argument);
}

SEC("uretprobe")
int BPF_KRETPROBE(returned, int result)
{
	return count(RETURN, bpf_get_attach_cookie(ctx), result);
}

SEC("uprobe/no-such-program-anywhere:work")
int nowhere(struct pt_regs *ctx)
{
	return 0;
}
