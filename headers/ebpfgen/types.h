/* SPDX-License-Identifier: MIT */
/* Integer types, under the names that kernel code and vmlinux.h use. Included by common.h. */
#ifndef __EBPFGEN_TYPES_H__
#define __EBPFGEN_TYPES_H__

/*
 * The fixed-width types user space may name. 64 bits are `long long` on every architecture, as
 * inside the kernel, so that %llu is always right (include/uapi/asm-generic/int-ll64.h).
 * Source of the byte-order types: include/uapi/linux/types.h.
 */
#ifndef _LINUX_TYPES_H
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;

/* For the reader only: the compiler does not check byte order. */
typedef __u16 __le16;
typedef __u32 __le32;
typedef __u64 __le64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;

typedef __u16 __sum16; /* a folded Internet checksum */
typedef __u32 __wsum;  /* one that is not folded yet; helpers that update checksums take it */
#endif

/* The kernel's own short names; include/asm-generic/int-ll64.h. */
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

/*
 * The names of stdint.h. uint64_t is `unsigned long long`, as in vmlinux.h, where a C library may
 * say `unsigned long`; so they are left alone where one of them came first.
 */
#if !defined(_STDINT_H) && !defined(__CLANG_STDINT_H)
typedef u8 uint8_t;
typedef u16 uint16_t;
typedef u32 uint32_t;
typedef u64 uint64_t;
typedef s8 int8_t;
typedef s16 int16_t;
typedef s32 int32_t;
typedef s64 int64_t;
typedef unsigned long uintptr_t;
#endif

/*
 * bool is a type and not a macro, and true and false are constants, as in vmlinux.h, so that BTF
 * has them by name. <stdbool.h> makes macros of all three, and in C23 they are keywords.
 */
#if !defined(bool) && !(defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202311L)
typedef _Bool bool;
enum {
	false = 0,
	true = 1,
};
#endif

/* Sizes and ids; include/linux/types.h. `long` has 64 bits for BPF, whatever machine it runs on. */
typedef unsigned long size_t;
typedef long ssize_t;
typedef int pid_t;
typedef unsigned int uid_t;
typedef unsigned int gid_t;
typedef unsigned short umode_t;
typedef long long loff_t;

/* Bytes of task_struct.comm, what bpf_get_current_comm() fills; include/linux/sched.h. */
#ifndef TASK_COMM_LEN
enum {
	TASK_COMM_LEN = 16,
};
#endif

#endif
