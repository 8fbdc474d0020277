/*
 * The worker in C over libbpf: as fast as it gets. What it does for each task is in tasks.py.
 *
 *   with_limit OBJECT TASK PRODUCER GETPPID
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ENTRIES 100000
#define CHUNK 4096

struct event {
	unsigned long long time;
	unsigned number;
	unsigned pid;
	char name[16];
};

static struct bpf_object *object;
static unsigned long long records, sum, lost;

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int on_event(void *context, void *data, size_t size)
{
	const struct event *event = data;

	records++;
	sum += event->number + event->pid;
	return 0;
}

static void on_sample(void *context, int cpu, void *data, unsigned size)
{
	on_event(context, data, size);
}

static void on_lost(void *context, int cpu, unsigned long long count)
{
	lost += count;
}

static int wait_for_line(void)
{
	char line[64];

	printf("ready\n");
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) != NULL;
}

static long peak_kib(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	long kib = 0;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	return kib;
}

static int map_fd(const char *name)
{
	return bpf_map__fd(bpf_object__find_map_by_name(object, name));
}

static void load(const char *path, const char *program, unsigned ring_size, unsigned producer,
		 unsigned getppid)
{
	struct bpf_program *each;
	struct bpf_map *constants;
	unsigned *values;
	size_t size;

	object = bpf_object__open_file(path, NULL);
	if (!object)
		fail("open");
	bpf_object__for_each_program(each, object)
		bpf_program__set_autoload(each, !strcmp(bpf_program__name(each), program));
	bpf_map__set_value_size(bpf_object__find_map_by_name(object, "events"), 0);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "events"), ring_size);
	bpf_map__set_key_size(bpf_object__find_map_by_name(object, "samples"), 4);
	bpf_map__set_value_size(bpf_object__find_map_by_name(object, "samples"), 4);
	constants = bpf_object__find_map_by_name(object, ".rodata");
	values = constants ? (unsigned *)bpf_map__initial_value(constants, &size) : NULL;
	if (!values)
		fail(".rodata");
	values[0] = producer;
	values[1] = getppid;
	if (bpf_object__load(object))
		fail("load");
	if (*program && !bpf_program__attach(bpf_object__find_program_by_name(object, program)))
		fail("attach");
}

static void ring(int is_first, int is_flat)
{
	struct ring_buffer *buffer = ring_buffer__new(map_fd("events"), on_event, NULL, NULL);
	long long start, end;

	if (!buffer)
		fail("ring_buffer__new");
	if (is_first) {
		while (!records)
			ring_buffer__poll(buffer, 1000);
		printf("{\"event\": %lld, \"kib\": %ld}\n", now(), peak_kib());
		return;
	}
	while (wait_for_line()) {
		records = 0;
		start = end = now();
		if (is_flat) {
			while (now() - start < 3200000000LL)
				ring_buffer__consume(buffer);
		} else {
			ring_buffer__consume(buffer);
			end = now();
		}
		printf("{\"records\": %llu, \"ns\": %lld}\n", records, end - start);
	}
}

static void perf(void)
{
	struct perf_buffer *buffer = perf_buffer__new(map_fd("samples"), 64, on_sample, on_lost, NULL, NULL);
	long long start, end;

	if (!buffer)
		fail("perf_buffer__new");
	while (wait_for_line()) {
		records = lost = 0;
		start = end = now();
		while (perf_buffer__poll(buffer, 500) > 0)
			end = now();
		printf("{\"records\": %llu, \"lost\": %llu, \"ns\": %lld}\n", records, lost, end - start);
	}
}

static void table(void)
{
	static unsigned keys[ENTRIES];
	static unsigned long long values[ENTRIES];
	int fd = map_fd("table");
	unsigned cursor, count, read = 0;
	unsigned long long value;
	long long start, batch, lookups, updates;

	for (unsigned i = 0; i < ENTRIES; i++) {
		value = i * 3ULL;
		if (bpf_map_update_elem(fd, &i, &value, 0))
			fail("update");
	}
	while (wait_for_line()) {
		int failed = 0;

		start = now();
		for (read = 0; !failed && read < ENTRIES; read += count) {
			count = CHUNK < ENTRIES - read ? CHUNK : ENTRIES - read;
			failed = bpf_map_lookup_batch(fd, read ? &cursor : NULL, &cursor,
						      keys + read, values + read, &count, NULL);
		}
		batch = now() - start;
		start = now();
		for (unsigned i = 0; i < ENTRIES; i++)
			bpf_map_lookup_elem(fd, &i, &value);
		lookups = now() - start;
		start = now();
		for (unsigned i = 0; i < ENTRIES; i++) {
			value = i * 3ULL;
			bpf_map_update_elem(fd, &i, &value, 0);
		}
		updates = now() - start;
		printf("{\"entries\": %u, \"batch\": %lld, ", read, batch);
		printf("\"lookups\": %lld, \"updates\": %lld}\n", lookups, updates);
	}
}

int main(int argc, char **argv)
{
	const char *task = argv[2];
	int is_perf = !strcmp(task, "perf"), is_table = !strcmp(task, "table");
	int is_first = !strcmp(task, "first");
	const char *program = is_table ? "" : is_perf ? "write_sample" : "write_event";

	load(argv[1], program, is_first ? 256 << 10 : 16 << 20, atoi(argv[3]), atoi(argv[4]));
	if (is_table)
		table();
	else if (is_perf)
		perf();
	else
		ring(is_first, !strcmp(task, "flat"));
	return 0;
}
