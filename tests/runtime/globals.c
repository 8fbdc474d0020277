// Global variables of every section that libbpf puts into a map, and buffers that name their records.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

enum mode { OFF, ON };

struct record {
	u32 pid;
	char comm[16];
};

struct config {
	u32 limit;
	u32 low : 3;
	int high : 5;
	union {
		u64 word;
		u8 bytes_of_it[8];
	};
	struct {
		u16 x, y;
	} point;
	u32 levels[3];
};

struct flexible {
	u32 count;
	u32 rest[];
};

union number {
	u32 whole;
	u16 halves[2];
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
int custom_zero SEC(".bss.custom");
const volatile int custom_constant SEC(".rodata.custom") = 11;
__weak int weak = 12;
__hidden int hidden = 13;
_Atomic int atomic;
struct config config = { .limit = 5, .low = 2, .high = -3, .word = 7, .levels = { 1, 2, 3 } };
struct flexible flexible = { 2, { 21, 22 } };
u32 behind_flexible = 23;
union number number = { 0x10002 };
struct record table[52000]; // about a megabyte
u32 grid[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
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
	custom_zero = custom_constant + weak + hidden;
	__sync_fetch_and_add((int *)&atomic, 1);
	config.levels[1] = config.limit;
	config.point.x += config.low;
	behind_flexible += flexible.rest[1];
	number.halves[1] = number.halves[0];
	table[51999] = record;
	grid[1][2] = table[0].pid;
	bpf_ringbuf_output(&ring, &record, sizeof(record), 0);
	bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, &record, sizeof(record));
	return 0;
}
