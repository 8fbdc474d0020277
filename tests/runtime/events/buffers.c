// Programs that write records to buffers, as many and such as the test that runs them asks for.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

struct event {
	u64 number;
	u32 kind;
	char name[12];
};

struct note {
	u32 number;
	u32 length;
	char text[];
};

struct order {
	u64 first;
	u32 count;
	u32 size; // of each record, in bytes
	u32 discard_every;
	u32 flags;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
	__type(value, struct event);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
	__type(value, u64);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
	__type(value, struct note);
} notes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} anything SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(value, struct event);
} samples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(key, u32);
	__type(value, u32);
} untyped_samples SEC(".maps");

u64 dropped; // records for which there was no room
u32 hold;    // while it is set, hold_one keeps its record
u32 holding; // hold_one has one

static __always_inline void fill(struct event *event, u64 number)
{
	event->number = number;
	event->kind = number % 7;
	__builtin_memcpy(event->name, "number\0tail", 12);
}

static long write_event(u32 index, struct order *order)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		__sync_fetch_and_add(&dropped, 1);
		return 0;
	}
	fill(event, order->first + index);
	if (order->discard_every && index % order->discard_every == 0)
		bpf_ringbuf_discard(event, order->flags);
	else
		bpf_ringbuf_submit(event, order->flags);
	return 0;
}

SEC("syscall")
int write_events(struct order *ctx)
{
	struct order order = *ctx;

	bpf_loop(order.count, write_event, &order, 0);
	return 0;
}

static long write_number(u32 index, struct order *order)
{
	u64 number = order->first + index;

	if (bpf_ringbuf_output(&numbers, &number, sizeof(number), 0))
		__sync_fetch_and_add(&dropped, 1);
	return 0;
}

SEC("syscall")
int write_numbers(struct order *ctx)
{
	struct order order = *ctx;

	bpf_loop(order.count, write_number, &order, 0);
	return 0;
}

static const char text[64] = "The quick brown fox jumps over the lazy dog, and over the fence.";

// One record of any size to each ring: shorter and longer than their types, too.
SEC("syscall")
int write_sized(struct order *ctx)
{
	u32 size = ctx->size;
	u32 number = ctx->first;
	u32 buffer[18] = {};

	if (size > 64)
		return 1;
	__builtin_memcpy(buffer, text, sizeof(text));
	buffer[0] = number;
	buffer[1] = size;
	bpf_ringbuf_output(&events, buffer, size, 0);
	bpf_ringbuf_output(&notes, buffer, size, 0);
	bpf_ringbuf_output(&anything, buffer, size, 0);
	return 0;
}

static long wait_a_little(u32 index, u64 *until)
{
	return !*(volatile u32 *)&hold || bpf_ktime_get_ns() > *until;
}

static long wait_longer(u32 index, u64 *until)
{
	bpf_loop(1 << 20, wait_a_little, until, 0);
	return wait_a_little(index, until);
}

// Reserves a record and submits it when the test lets go, or after some seconds.
SEC("syscall")
int hold_one(struct order *ctx)
{
	u64 until = bpf_ktime_get_ns() + 5000000000ull;
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return 1;
	fill(event, ctx->first);
	*(volatile u32 *)&holding = 1;
	bpf_loop(1 << 20, wait_longer, &until, 0);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

struct sample_loop {
	void *ctx;
	u64 first;
};

static long write_sample(u32 index, struct sample_loop *loop)
{
	struct event event = {};

	fill(&event, loop->first + index);
	bpf_perf_event_output(loop->ctx, &samples, BPF_F_CURRENT_CPU, &event, sizeof(event));
	return 0;
}

// Run by the test, with the arguments first, count and size; count is how many of the full size.
SEC("raw_tracepoint/sys_enter")
int write_samples(struct bpf_raw_tracepoint_args *ctx)
{
	struct sample_loop loop = {ctx, ctx->args[0]};
	u64 size = ctx->args[2];
	u32 buffer[18] = {};

	if (!size) {
		bpf_loop(ctx->args[1], write_sample, &loop, 0);
		return 0;
	}
	if (size > sizeof(text))
		return 1;
	__builtin_memcpy(buffer, text, sizeof(text));
	buffer[0] = ctx->args[0];
	bpf_perf_event_output(ctx, &untyped_samples, BPF_F_CURRENT_CPU, buffer, size);
	return bpf_perf_event_output(ctx, &samples, BPF_F_CURRENT_CPU, buffer, size);
}
