// What programs of a cgroup note, each at an index of its own, and refuse if the tests say so.
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum place {
	CREATED, INCOMING, OUTGOING, EITHER, BOUND, CONNECTED, SENT, RECEIVED, READ_OPTION, SET_OPTION,
	SYSCTL, DEVICE, TURN, SECOND, PLACES
};

u64 counts[PLACES];
u32 only_port;
u32 refuse;

static int allow(enum place place)
{
	__sync_fetch_and_add(&counts[place], 1);
	return refuse ? 0 : 1;
}
