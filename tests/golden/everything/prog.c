#include "common.h"
#include <bpf/bpf_helpers.h>
char __license[] SEC("license") = "GPL";
enum state { IDLE, BUSY = 5, __LAST = -1 };
enum { A1, B1 } anon_enum_var;
typedef struct { int x; short y; } point_t;
union addr { u32 v4; u8 v6[16]; struct { u16 a, b; }; point_t p; int bf:5; };
struct inner { u8 a; u64 b; char name[5]; } ;
struct packed_s { u8 a; u64 b; u16 c; } __attribute__((packed));
struct over { u8 a; u64 __attribute__((aligned(32))) b; };
struct empty {};
struct event {
	u32 pid; char comm[16]; enum state st; bool ok; unsigned int a:3, b:7; int c:9; bool d:1; enum state es:4; u64 :0; u64 wide:40;
	struct inner in; struct packed_s pk; struct over ov; union addr ad;
	union { u32 uu; float ff; struct { char lo, hi; }; };
	struct { int nested_anon; struct { long deep; }; };
	struct { int q; } named_anon[3];
	int grid[2][3]; point_t pts[2]; char words[2][8]; u8 mac[6]; 
	struct event *next; void (*fn)(int); const char *str; 
	__int128 big; unsigned __int128 ubig; float f; double g; struct empty e;
	bool flags[3]; s8 sc[3]; u64 lots[100]; int class, pack, SIZE, __priv, __init__; enum state es2[2]; u64 bytes; struct { int tuple; u8 b[2]; } tuple;
};
struct flex { u32 n; u16 m; char text[]; };
struct flexi { u32 n; point_t pts[]; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, struct flex); __type(value, struct event); __uint(max_entries, 4); } m SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, enum state); __type(value, struct flexi); __uint(max_entries, 4); } m2 SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __int128); __type(value, struct {int z;}); __uint(max_entries, 4); } m3 SEC(".maps");
SEC("socket") int p(void *c) { return anon_enum_var; }
