// Global variables of every section that libbpf puts into a map, and buffers that name their records.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

enum mode { OFF, ON };

struct record {
	u32 pid;
	char comm[16];
};

const volatile u32 step = 7;
const volatile struct record only = {};
int counter = 3;
u64 total;
struct record last;
enum mode mode = ON;
u64 slots[4];
char text[32];
int custom SEC(".data.custom") = 9;
static int hidden_from_python;

extern int CONFIG_HZ __kconfig;
extern bool CONFIG_BPF __kconfig;
extern const char CONFIG_NO_SUCH_OPTION[8] __kconfig __weak;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
	__type(value, struct record);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(value, struct record);
} perf SEC(".maps");

SEC("raw_tracepoint/sys_enter")
int on_any_call(void *ctx)
{
	struct record record = { .pid = bpf_get_current_pid_tgid() >> 32 };

	if (only.pid && record.pid != only.pid)
		return 0;
	counter++;
	hidden_from_python++;
	total += step;
	slots[1] = CONFIG_HZ;
	text[0] = CONFIG_BPF ? 'y' : 'n';
	text[1] = CONFIG_NO_SUCH_OPTION[0];
	bpf_get_current_comm(record.comm, sizeof(record.comm));
	last = record;
	custom = mode;
	bpf_ringbuf_output(&ring, &record, sizeof(record), 0);
	bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, &record, sizeof(record));
	return 0;
}
