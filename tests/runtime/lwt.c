// A program of a kind that attach() knows no place for.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

SEC("lwt_in")
int no_place(void *ctx)
{
	return 0;
}
