// Data sections of every kind, longer than a page and shorter than a word.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

struct limits {
	u16 low;
	u16 high;
	char unit[4];
};

const volatile struct limits limits[3] = { { 1, 2, "ms" }, { 3, 4, "us" }, { 5, 6, "ns" } };
const volatile u64 steps[600] = { [599] = 7 };
const volatile s8 sign SEC(".rodata.small") = -1;

u32 first = 1;
u64 large[1500] = { 11, [1499] = 13 };
struct limits last = { 8, 9, "end" };
char custom[5000] SEC(".data.custom") = "begin";
u8 tiny SEC(".data.tiny") = 3;
u64 zero[2000];

SEC("syscall")
int sum(void *ctx)
{
	u64 index = 1499;

	zero[1999] = large[index] + steps[599] + limits[2].high + tiny + sign;
	large[0]++;
	custom[4999] = 'z';
	last.low = first;
	return zero[1998];
}
