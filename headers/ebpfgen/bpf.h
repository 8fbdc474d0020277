/* SPDX-License-Identifier: MIT */
/*
 * The kernel's BPF interface: map types, flags, return codes and program contexts.
 * Included by common.h. All of it is stable uapi: values never change, lists only grow.
 *
 * Source, unless a comment says otherwise: include/uapi/linux/bpf.h. Constants are enumerators as
 * there, not macros, so that they are in BTF and a program may #define a name again.
 */
#ifndef __EBPFGEN_BPF_H__
#define __EBPFGEN_BPF_H__

#ifndef __LINUX_BPF_H__

/* What SEC(".maps") definitions take as __uint(type, ...); in brackets the first kernel with it. */
enum bpf_map_type {
	BPF_MAP_TYPE_UNSPEC = 0,
	BPF_MAP_TYPE_HASH = 1,                  /* [3.19] */
	BPF_MAP_TYPE_ARRAY = 2,                 /* [3.19] */
	BPF_MAP_TYPE_PROG_ARRAY = 3,            /* [4.2] tail calls */
	BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4,      /* [4.3] */
	BPF_MAP_TYPE_PERCPU_HASH = 5,           /* [4.6] */
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,          /* [4.6] */
	BPF_MAP_TYPE_STACK_TRACE = 7,           /* [4.6] */
	BPF_MAP_TYPE_CGROUP_ARRAY = 8,          /* [4.8] */
	BPF_MAP_TYPE_LRU_HASH = 9,              /* [4.10] */
	BPF_MAP_TYPE_LRU_PERCPU_HASH = 10,      /* [4.10] */
	BPF_MAP_TYPE_LPM_TRIE = 11,             /* [4.11] */
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,        /* [4.12] */
	BPF_MAP_TYPE_HASH_OF_MAPS = 13,         /* [4.12] */
	BPF_MAP_TYPE_DEVMAP = 14,               /* [4.14] */
	BPF_MAP_TYPE_SOCKMAP = 15,              /* [4.14] */
	BPF_MAP_TYPE_CPUMAP = 16,               /* [4.15] */
	BPF_MAP_TYPE_XSKMAP = 17,               /* [4.18] */
	BPF_MAP_TYPE_SOCKHASH = 18,             /* [4.18] */
	BPF_MAP_TYPE_CGROUP_STORAGE = 19,       /* [4.19] CGRP_STORAGE follows it */
	BPF_MAP_TYPE_REUSEPORT_SOCKARRAY = 20,  /* [4.19] */
	BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE = 21, /* [4.20] */
	BPF_MAP_TYPE_QUEUE = 22,                /* [4.20] */
	BPF_MAP_TYPE_STACK = 23,                /* [4.20] */
	BPF_MAP_TYPE_SK_STORAGE = 24,           /* [5.2] */
	BPF_MAP_TYPE_DEVMAP_HASH = 25,          /* [5.4] */
	BPF_MAP_TYPE_STRUCT_OPS = 26,           /* [5.6] */
	BPF_MAP_TYPE_RINGBUF = 27,              /* [5.8] */
	BPF_MAP_TYPE_INODE_STORAGE = 28,        /* [5.10] */
	BPF_MAP_TYPE_TASK_STORAGE = 29,         /* [5.11] */
	BPF_MAP_TYPE_BLOOM_FILTER = 30,         /* [5.16] */
	BPF_MAP_TYPE_USER_RINGBUF = 31,         /* [6.1] */
	BPF_MAP_TYPE_CGRP_STORAGE = 32,         /* [6.2] */
	BPF_MAP_TYPE_ARENA = 33,                /* [6.9] */
	BPF_MAP_TYPE_INSN_ARRAY = 34,           /* [6.19] jump tables */
	BPF_MAP_TYPE_RHASH = 35,                /* after 6.19: a hash that resizes itself */

	/* What newer kernels call the two that CGRP_STORAGE replaces. */
	BPF_MAP_TYPE_CGROUP_STORAGE_DEPRECATED = BPF_MAP_TYPE_CGROUP_STORAGE,
	BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE_DEPRECATED = BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
};

/* Creating a map: __uint(map_flags, ...). */
enum {
	BPF_F_NO_PREALLOC = 1U << 0,    /* allocate hash elements when they are inserted */
	BPF_F_NO_COMMON_LRU = 1U << 1,  /* an LRU list per CPU, not one for the map */
	BPF_F_NUMA_NODE = 1U << 2,      /* memory from the node given in numa_node */
	BPF_F_RDONLY = 1U << 3,         /* user space may only read */
	BPF_F_WRONLY = 1U << 4,         /* user space may only write */
	BPF_F_STACK_BUILD_ID = 1U << 5, /* stacks as build id and offset, not addresses */
	BPF_F_ZERO_SEED = 1U << 6,      /* a hash seed of 0; for tests */
	BPF_F_RDONLY_PROG = 1U << 7,    /* programs may only read */
	BPF_F_WRONLY_PROG = 1U << 8,    /* programs may only write */
	BPF_F_CLONE = 1U << 9,          /* an accepted socket inherits its listener's storage */
	BPF_F_MMAPABLE = 1U << 10,      /* user space may mmap the array */
	BPF_F_PRESERVE_ELEMS = 1U << 11, /* keep perf events when their file is closed */
	BPF_F_INNER_MAP = 1U << 12,     /* inner arrays of one map-in-map may differ in size */
	BPF_F_LINK = 1U << 13,          /* register the struct_ops through a link */
	BPF_F_PATH_FD = 1U << 14,       /* pin relative to path_fd */
	BPF_F_VTYPE_BTF_OBJ_FD = 1U << 15, /* the value's BTF is a module's */
	BPF_F_TOKEN_FD = 1U << 16,      /* a BPF token is passed */
	BPF_F_SEGV_ON_FAULT = 1U << 17, /* touching an unmapped arena page is SIGSEGV */
	BPF_F_NO_USER_CONV = 1U << 18,  /* leave arena pointers as the kernel has them */
	BPF_F_RB_OVERWRITE = 1U << 19,  /* a full ring buffer drops its oldest records */
};

/* Updating or reading an element: the flags argument of bpf_map_update_elem() and its like. */
enum {
	BPF_ANY = 0,         /* create or replace */
	BPF_NOEXIST = 1,     /* create only */
	BPF_EXIST = 2,       /* replace only */
	BPF_F_LOCK = 4,      /* hold the value's bpf_spin_lock meanwhile */
	BPF_F_CPU = 8,       /* per-CPU maps: one CPU, its number in the upper half of flags */
	BPF_F_ALL_CPUS = 16, /* per-CPU maps: the same value for all of them */
};

/* bpf_perf_event_output(), bpf_perf_event_read() and the like: which CPU's buffer. */
enum {
	BPF_F_INDEX_MASK = 0xffffffffULL,
	BPF_F_CURRENT_CPU = BPF_F_INDEX_MASK,
	BPF_F_CTXLEN_MASK = 0xfffffULL << 32, /* packet bytes to append to the record */
};

/* bpf_get_stackid() and bpf_get_stack(). */
enum {
	BPF_F_SKIP_FIELD_MASK = 0xffULL,  /* frames to leave out at the top */
	BPF_F_USER_STACK = 1ULL << 8,     /* the user's stack, not the kernel's */
	BPF_F_FAST_STACK_CMP = 1ULL << 9, /* bpf_get_stackid(): compare hashes only */
	BPF_F_REUSE_STACKID = 1ULL << 10, /* bpf_get_stackid(): a collision replaces */
	BPF_F_USER_BUILD_ID = 1ULL << 11, /* bpf_get_stack(): build id and offset */
};

/* bpf_ringbuf_submit(), bpf_ringbuf_discard() and bpf_ringbuf_output(). */
enum {
	BPF_RB_NO_WAKEUP = 1ULL << 0,
	BPF_RB_FORCE_WAKEUP = 1ULL << 1,
};

/* What bpf_ringbuf_query() is asked. */
enum {
	BPF_RB_AVAIL_DATA = 0,
	BPF_RB_RING_SIZE = 1,
	BPF_RB_CONS_POS = 2,
	BPF_RB_PROD_POS = 3,
	BPF_RB_OVERWRITE_POS = 4,
};

/* The header in front of each ring buffer record: two bits of its length, and its size. */
enum {
	BPF_RINGBUF_BUSY_BIT = 1U << 31,
	BPF_RINGBUF_DISCARD_BIT = 1U << 30,
	BPF_RINGBUF_HDR_SZ = 8,
};

/* bpf_task_storage_get() and the other local storages. */
enum {
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1ULL << 0,
	BPF_SK_STORAGE_GET_F_CREATE = BPF_LOCAL_STORAGE_GET_F_CREATE,
};

/* bpf_redirect() and bpf_redirect_map(). */
enum {
	BPF_F_INGRESS = 1ULL << 0,         /* bpf_redirect(): as if received there */
	BPF_F_BROADCAST = 1ULL << 3,       /* XDP: to every entry of the map */
	BPF_F_EXCLUDE_INGRESS = 1ULL << 4, /* XDP: but not back to where it came from */
};

/* What an XDP program returns. */
enum xdp_action {
	XDP_ABORTED = 0, /* drop, and fire the xdp_exception tracepoint */
	XDP_DROP = 1,
	XDP_PASS = 2,
	XDP_TX = 3, /* out of the interface it came in by */
	XDP_REDIRECT = 4,
};

/*
 * Program contexts. The kernel rewrites each access to them when it loads the program, so their
 * layout is part of the interface and they take no CO-RE relocation. In xdp_md and __sk_buff,
 * data and data_end are packet pointers: cast them with (void *)(long).
 */
struct xdp_md {
	__u32 data;
	__u32 data_end;
	__u32 data_meta;
	__u32 ingress_ifindex;
	__u32 rx_queue_index;
	__u32 egress_ifindex; /* only for programs in a devmap */
};

struct bpf_flow_keys;
struct bpf_sock;

/* A pointer has 64 bits in BPF even where the machine's have 32. */
#define __EBPFGEN_POINTER(type, name) \
	union { \
		type *name; \
		__u64 : 64; \
	} __attribute__((aligned(8)))

struct __sk_buff {
	__u32 len;
	__u32 pkt_type;
	__u32 mark;
	__u32 queue_mapping;
	__u32 protocol; /* big-endian EtherType */
	__u32 vlan_present;
	__u32 vlan_tci;
	__u32 vlan_proto;
	__u32 priority;
	__u32 ingress_ifindex;
	__u32 ifindex;
	__u32 tc_index;
	__u32 cb[5];
	__u32 hash;
	__u32 tc_classid;
	__u32 data;
	__u32 data_end;
	__u32 napi_id;
	/* family to local_port: sk_skb programs. Addresses and remote_port are big-endian. */
	__u32 family;
	__u32 remote_ip4;
	__u32 local_ip4;
	__u32 remote_ip6[4];
	__u32 local_ip6[4];
	__u32 remote_port;
	__u32 local_port;
	__u32 data_meta;
	__EBPFGEN_POINTER(struct bpf_flow_keys, flow_keys);
	__u64 tstamp;
	__u32 wire_len;
	__u32 gso_segs;
	__EBPFGEN_POINTER(struct bpf_sock, sk);
	__u32 gso_size;
	__u8 tstamp_type;
	__u32 : 24;
	__u64 hwtstamp;
};

/* SEC("raw_tp/..."): the tracepoint's arguments, as many as it has. */
struct bpf_raw_tracepoint_args {
	__u64 args[0];
};

/* Members of map values that the kernel looks after; opaque to the program. */
struct bpf_spin_lock {
	__u32 val;
};

struct bpf_timer {
	__u64 __opaque[2];
} __attribute__((aligned(8)));

struct bpf_dynptr {
	__u64 __opaque[2];
} __attribute__((aligned(8)));

/* The iterator behind libbpf's bpf_for() and bpf_repeat(). */
struct bpf_iter_num {
	__u64 __opaque[1];
} __attribute__((aligned(8)));

#endif /* __LINUX_BPF_H__ */

/*
 * What a tc (SCHED_CLS) program returns; include/uapi/linux/pkt_cls.h. These are macros there too,
 * and spelled alike, because one may be defined twice only with the same text.
 */
#ifndef __LINUX_PKT_CLS_H
#define TC_ACT_UNSPEC (-1)
#define TC_ACT_OK 0
#define TC_ACT_RECLASSIFY 1
#define TC_ACT_SHOT 2
#define TC_ACT_PIPE 3
#define TC_ACT_STOLEN 4
#define TC_ACT_QUEUED 5
#define TC_ACT_REPEAT 6
#define TC_ACT_REDIRECT 7
#define TC_ACT_TRAP 8
#endif

#endif
