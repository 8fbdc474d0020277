// An iterator over the elements of a map.
#include "common.h"
#include "iterators.h"

char __license[] SEC("license") = "Dual MIT/GPL";

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	void *map;
	void *key;
	void *value;
} FROM_BTF;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 8);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 8);
} others SEC(".maps");

SEC("iter/bpf_map_elem")
int elements(struct bpf_iter__bpf_map_elem *ctx)
{
	u32 *key = ctx->key;
	u64 *value = ctx->value;
	u32 pair[2];

	if (!key || !value)
		return 0;
	pair[0] = *key;
	pair[1] = *value;
	bpf_seq_write(ctx->meta->seq, pair, sizeof(pair));
	return 0;
}
