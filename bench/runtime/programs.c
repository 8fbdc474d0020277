// What is measured: a record for every getppid() of one process, and a map to read.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

struct event {
	u64 time;
	u32 number;
	u32 pid;
	char name[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
	__type(value, struct event);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(value, struct event);
} samples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 100000);
} table SEC(".maps");

const volatile u32 producer; // the process whose system calls count
const volatile u32 getppid;  // the number of the system call
u32 count;
u64 dropped;

static __always_inline bool is_wanted(struct bpf_raw_tracepoint_args *ctx)
{
	return ctx->args[1] == getppid && bpf_get_current_pid_tgid() >> 32 == producer;
}

static __always_inline void fill(struct event *event)
{
	event->time = bpf_ktime_get_ns();
	event->number = count++;
	event->pid = producer;
	bpf_get_current_comm(event->name, sizeof(event->name));
}

SEC("raw_tracepoint/sys_enter")
int write_event(struct bpf_raw_tracepoint_args *ctx)
{
	struct event *event;

	if (!is_wanted(ctx))
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		dropped++;
		return 0;
	}
	fill(event);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("raw_tracepoint/sys_enter")
int write_sample(struct bpf_raw_tracepoint_args *ctx)
{
	struct event event = {};

	if (!is_wanted(ctx))
		return 0;
	fill(&event);
	bpf_perf_event_output(ctx, &samples, BPF_F_CURRENT_CPU, &event, sizeof(event));
	return 0;
}
