// Enums of every sign and width, as compilers that leave both out of the BTF have them too.
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "GPL";

enum top {
	TOP = 4294967295,
};

enum far {
	FAR = -100000,
	NEAR = 3,
};

enum wide {
	WIDE = 1ULL << 40,
	WIDEST = 1ULL << 63,
};

enum both {
	BELOW = -1,
	ABOVE = 1LL << 40,
};

typedef enum { NO_TAG = -5000 } no_tag_t;

struct value {
	enum top top;
	enum far far;
	enum wide wide;
	enum both both[2];
	enum { NAMELESS = 3000000000 } nameless;
	no_tag_t no_tag;
	enum top bits : 32;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, enum far);
	__type(value, struct value);
	__uint(max_entries, 1);
} values SEC(".maps");

enum both mode;
