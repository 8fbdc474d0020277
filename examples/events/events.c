// Sends who runs which program to Python.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

// A program that is about to be run.
struct event {
	// Nanoseconds since the machine was started.
	u64 time;
	u32 pid;
	// Of the process that runs it.
	char comm[16];
	char filename[100];
};

// What Python reads: 256 KiB of records.
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
	__type(value, struct event);
} events SEC(".maps");

// How often there was no room for a record.
u64 lost;

// events/syscalls/sys_enter_execve/format of tracefs.
struct execve {
	u64 common;
	u64 number;
	const char *filename;
};

SEC("tracepoint/syscalls/sys_enter_execve")
int enter_execve(struct execve *ctx)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	event->time = bpf_ktime_get_ns();
	event->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	if (bpf_probe_read_user_str(event->filename, sizeof(event->filename), ctx->filename) < 0)
		event->filename[0] = 0;
	bpf_ringbuf_submit(event, 0);
	return 0;
}
