// A program at a tracepoint with typed arguments.
#include "common.h"
#include "probes.h"

char __license[] SEC("license") = "Dual MIT/GPL";

SEC("tp_btf/sys_enter")
int BPF_PROG(on_any_call_typed, struct pt_regs *regs, long number)
{
	return count(TYPED, 0, number);
}
