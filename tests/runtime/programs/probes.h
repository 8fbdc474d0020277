// What programs at places of the kernel and of user space note, each at an index of its own.
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

enum place { ENTRY, RETURN, STATIC, TRACEPOINT, RAW, TYPED, PLACES };

u64 counts[PLACES];
u64 cookies[PLACES];
long seen[PLACES];
const volatile u32 only_pid = 0;

static int count(enum place place, u64 cookie, long value)
{
	if (only_pid && bpf_get_current_pid_tgid() >> 32 != only_pid)
		return 0;
	__sync_fetch_and_add(&counts[place], 1);
	cookies[place] = cookie;
	seen[place] = value;
	return 0;
}
