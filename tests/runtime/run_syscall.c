// A program that is there to be run, on a record.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

struct sum {
	u32 a;
	u32 b;
	u64 total;
};

u64 runs;
struct sum last;

SEC("syscall")
int add(struct sum *sum)
{
	runs++;
	sum->total = (u64) sum->a + sum->b;
	last = *sum;
	return -7;
}
