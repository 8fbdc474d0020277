// How often, and in which order, the programs of a file ran.
#include <bpf/bpf_helpers.h>

u64 counts[3];
u64 order[3];
u64 runs;

static int count(int index)
{
	__sync_fetch_and_add(&counts[index], 1);
	order[index] = __sync_fetch_and_add(&runs, 1) + 1;
	return -1; /* TCX_NEXT */
}
