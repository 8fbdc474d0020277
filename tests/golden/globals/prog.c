#include "common.h"
#include <bpf/bpf_helpers.h>
char __license[] SEC("license") = "GPL";
struct ev { u32 pid; char comm[16]; };
struct unused { int a; };
typedef struct { long q; } tdef;
enum mode { OFF, ON };
const volatile u32 target_pid = 7;
const volatile struct ev filter = {};
int counter = 3; u64 zeroed; struct ev last; enum mode mode = ON; static int hidden_s; char buf[32]; u64 arr[4];
int at_var; int dd SEC(".data.custom") = 9; 
extern int CONFIG_HZ __kconfig; extern bool CONFIG_BPF __kconfig; extern const char CONFIG_CC_VERSION_TEXT[64] __kconfig __weak;
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); __type(value, struct ev); } rb SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); } pb SEC(".maps");
struct inner_v { u64 zz; };
struct inner { __uint(type, BPF_MAP_TYPE_HASH); __type(key, u32); __type(value, u64); __uint(max_entries, 4); };
struct { __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS); __type(key, u32); __uint(max_entries, 2); __array(values, struct inner); } outer SEC(".maps");
struct unused *u__; tdef *t__;
SEC("raw_tracepoint/sys_enter") int p(void *c) { static int n; counter++; zeroed += target_pid; last = filter; hidden_s++; dd++; __sync_fetch_and_add((int*)&at_var,1); arr[1]=CONFIG_HZ; buf[0] = CONFIG_BPF + CONFIG_CC_VERSION_TEXT[0]; mode = n++; u__=0; t__=0;
 struct ev e = {1,"x"}; bpf_ringbuf_output(&rb, &e, sizeof(e), 0); bpf_perf_event_output(c, &pb, BPF_F_CURRENT_CPU, &e, sizeof e); return 0; }
