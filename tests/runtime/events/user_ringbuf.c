// Rings that user space writes to, and programs that read what is there.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

struct event {
	u64 number;
	u32 kind;
	char name[12];
};

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
	__type(value, struct event);
} commands SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} lines SEC(".maps");

u64 drained, drained_sum;
char last_line[16];

static long take_command(struct bpf_dynptr *dynptr, void *unused)
{
	struct event event;

	if (bpf_dynptr_read(&event, sizeof(event), dynptr, 0, 0))
		return 1;
	drained++;
	drained_sum += event.number;
	return 0;
}

static long take_line(struct bpf_dynptr *dynptr, void *unused)
{
	bpf_dynptr_read(last_line, 4, dynptr, 0, 0);
	return 0;
}

SEC("syscall")
int drain_lines(void *ctx)
{
	return bpf_user_ringbuf_drain(&lines, take_line, 0, 0);
}

SEC("syscall")
int drain(void *ctx)
{
	return bpf_user_ringbuf_drain(&commands, take_command, 0, 0);
}
