// An arena, as far as every clang can say it: a program that uses one needs address spaces.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4);
} shared SEC(".maps");
