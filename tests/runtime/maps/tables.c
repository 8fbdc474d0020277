// Maps of every type that holds plain values, with keys and values of several kinds.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";

struct place {
	u16 x;
	u8 y;
};

enum color { RED = 1, GREEN = 2 };

struct tail {
	u32 count;
	u8 rest[];
};

struct prefix4 {
	u32 bits;
	u8 address[4];
};

struct prefix6 {
	u32 bits;
	u8 address[16];
};

#define MAP(_name, _type, _key, _value, _entries)                                                  \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_##_type);                                                \
		__type(key, _key);                                                                 \
		__type(value, _value);                                                             \
		__uint(max_entries, _entries);                                                     \
	} _name SEC(".maps")

#define VALUES(_name, _type, _value, _entries)                                                     \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_##_type);                                                \
		__type(value, _value);                                                             \
		__uint(max_entries, _entries);                                                     \
	} _name SEC(".maps")

#define FLAGGED(_name, _type, _key, _value, _entries, _flags)                                      \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_##_type);                                                \
		__type(key, _key);                                                                 \
		__type(value, _value);                                                             \
		__uint(max_entries, _entries);                                                     \
		__uint(map_flags, _flags);                                                         \
	} _name SEC(".maps")

MAP(numbers, HASH, u32, u64, 100);
MAP(large, HASH, u32, u64, 100000);
MAP(places, HASH, struct place, struct place, 10);
MAP(names, HASH, char[6], char[10], 10);
MAP(colors, HASH, enum color, u8[3], 10);
MAP(triples, HASH, u64, s16[3], 10);
MAP(tails, HASH, u32, struct tail, 10);
MAP(recent, LRU_HASH, u32, u32, 4);
MAP(shared, PERCPU_HASH, u32, u32, 10);
MAP(shared_places, PERCPU_HASH, u8, struct place, 10);
MAP(recent_shared, LRU_PERCPU_HASH, u32, u64, 10);
FLAGGED(routes, LPM_TRIE, struct prefix4, u32, 10, BPF_F_NO_PREALLOC);
FLAGGED(routes6, LPM_TRIE, struct prefix6, u32, 10, BPF_F_NO_PREALLOC);

FLAGGED(many_routes, LPM_TRIE, struct prefix4, u32, 5000, BPF_F_NO_PREALLOC);

MAP(list, ARRAY, u32, u32, 5);
MAP(long_list, ARRAY, u32, u64, 10000);
MAP(spots, ARRAY, u32, struct place, 3);
MAP(counters, PERCPU_ARRAY, u32, u64, 4);
MAP(small_counters, PERCPU_ARRAY, u32, u16, 3);
FLAGGED(memory, ARRAY, u32, u64, 1000, BPF_F_MMAPABLE);
FLAGGED(spots_memory, ARRAY, u32, struct place, 3, BPF_F_MMAPABLE);
FLAGGED(constants, ARRAY, u32, u64, 2, BPF_F_MMAPABLE | BPF_F_RDONLY_PROG);
FLAGGED(unwritable, ARRAY, u32, u64, 2, BPF_F_RDONLY);
FLAGGED(unreadable, ARRAY, u32, u64, 2, BPF_F_WRONLY);

VALUES(line, QUEUE, u32, 3);
VALUES(pile, STACK, struct place, 3);

struct guarded {
	struct bpf_spin_lock lock;
	u32 value;
};

MAP(locked, HASH, u32, struct guarded, 4);
MAP(locked_list, ARRAY, u32, struct guarded, 4);
