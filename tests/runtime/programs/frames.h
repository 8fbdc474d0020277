// What programs on interfaces note of the frames of the tests, each at an index of its own.
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define OURS 0x88b5 /* an EtherType for experiments, of IEEE 802 */

enum place { DROP_FIRST, DROP_SECOND, INCOMING, OUTGOING, PLACES };

u64 counts[PLACES];
u64 order[PLACES];
u64 runs;

struct ethernet {
	u8 to[6];
	u8 from[6];
	u16 type;
};

static bool is_ours(void *data, void *end)
{
	struct ethernet *header = data;

	return data + sizeof(*header) <= end && header->type == bpf_htons(OURS);
}

static bool count(enum place place, void *data, void *end)
{
	if (!is_ours(data, end))
		return false;
	counts[place]++;
	order[place] = ++runs;
	return true;
}
