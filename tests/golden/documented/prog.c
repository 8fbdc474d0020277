#include "common.h"
#include <bpf/bpf_helpers.h>
char __license[] SEC("license") = "GPL";
#define MAX_SLOTS 64
#define MAX_ALL (MAX_SLOTS * 2ull)
#define MAX_NAME "x"
/** What happened to "a" process.
 *
 * More of it.
 */
struct event {
	// The process.
	u32 pid;
	u32 flags : 3; // trailing
	/** How. */
	enum how {
		// At once.
		FAST,
		SLOW,
	} how;
	// one of them
	union { u32 a; 
		// as a float
		float f; };
};
// Every event by process,
// for as long as it lives.
struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, u32); __type(value, struct event); __uint(max_entries, 4); } events SEC(".maps");
// Look at this one alone.
const volatile u32 only_pid;
// Counts.
SEC("kprobe/x") int prog(void *c) { return only_pid; }
