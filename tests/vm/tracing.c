// Programs that the kernel calls by BTF: at functions, at security hooks, in another's place. None is
// loaded unless its check says so.
#include "common.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char __license[] SEC("license") = "GPL";

enum place { ENTERED, LEFT, GUARDED, GROUPED, DECIDED, REPLACED, PLACES };

#define EACCES 13

u64 counts[PLACES];
long seen[PLACES];
u64 cookie;
u32 only_pid;
bool refuse;

struct filename;
struct file;
struct inode;
struct dentry;

static bool ours(enum place place)
{
	if (bpf_get_current_pid_tgid() >> 32 != only_pid)
		return false;
	__sync_fetch_and_add(&counts[place], 1);
	return true;
}

SEC("?fentry/do_unlinkat")
int BPF_PROG(entered, int folder, struct filename *name)
{
	if (ours(ENTERED)) {
		seen[ENTERED] = folder;
		cookie = bpf_get_attach_cookie(ctx);
	}
	return 0;
}

SEC("?fexit/do_unlinkat")
int BPF_PROG(left, int folder, struct filename *name, int result)
{
	if (ours(LEFT))
		seen[LEFT] = result;
	return 0;
}

SEC("?fentry")
int BPF_PROG(entered_anywhere)
{
	ours(ENTERED);
	return 0;
}

SEC("?fmod_ret/security_inode_unlink")
int BPF_PROG(instead_of_check, struct inode *folder, struct dentry *name, int result)
{
	return ours(GUARDED) && refuse ? -EACCES : 0;
}

SEC("?lsm/inode_unlink")
int BPF_PROG(guard, struct inode *folder, struct dentry *name, int result)
{
	return ours(GUARDED) && refuse ? -EACCES : result;
}

SEC("?lsm_cgroup/socket_create")
int BPF_PROG(group_guard, int family, int type, int protocol, int kern)
{
	if (ours(GROUPED) && refuse)
		return 0;
	return 1;
}

__attribute__((noinline)) int decide(int value)
{
	asm volatile("" : "+r"(value)); /* or clang would know what it returns */
	return value;
}

SEC("?socket")
int decided(struct __sk_buff *ctx)
{
	counts[DECIDED]++;
	seen[DECIDED] = decide(3);
	return -1; /* all of the packet */
}

SEC("?freplace/decide")
int replacement(int value)
{
	return value + 4;
}

SEC("?freplace")
int replacement_anywhere(int value)
{
	return value + 40;
}
