// Names and structs so long that lines must be wrapped.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

struct connection_tracking_key_of_both_directions {
	u8 source_address_of_the_connection[16];
};

struct connection_tracking_value_of_both_directions {
	u8 a; u16 b; u32 c; u64 d; u8 e; u16 f; u32 g; u64 h; u8 i; u16 j; u32 k; u64 z;
	u8 m; u16 n; u32 o; u64 p; u8 q; u16 r; u32 s; u64 t; u8 u; u16 w; u32 x; u64 y;
	struct connection_tracking_key_of_both_directions the_other_direction;
	u32 numbers_of_packets_by_queue[64];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct connection_tracking_key_of_both_directions);
	__type(value, struct connection_tracking_value_of_both_directions);
	__uint(max_entries, 8);
} table_of_the_connections_that_are_open SEC(".maps");

SEC("tracepoint/sock/inet_sock_set_state")
int remember_the_connections_that_are_opened_and_closed_by_any_process(void *ctx)
{
	return 0;
}
