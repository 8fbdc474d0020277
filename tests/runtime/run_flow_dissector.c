// A flow dissector that the tests run without attaching it.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

SEC("flow_dissector")
int dissect(struct __sk_buff *skb)
{
	return 0;
}
