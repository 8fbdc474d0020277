/* SPDX-License-Identifier: MIT */
/*
 * The types and constants a small BPF program needs, instead of a vmlinux.h.
 *
 * A vmlinux.h generated from a kernel's BTF is some hundred thousand lines for one kernel and one
 * architecture. This header names only what is stable enough to be written down: integer types,
 * the BPF interface (maps, flags, contexts) and the register layouts that kprobes see. A program
 * that looks inside other kernel structs either declares the few members it reads, with
 * __attribute__((preserve_access_index)), or includes a generated vmlinux.h.
 *
 * With a real vmlinux.h:
 *   - include it FIRST. It defines __VMLINUX_H__, and then this file adds nothing at all.
 *   - included after this file, or after any of our bpf/ headers (each of which includes this
 *     one), it is its own include guard that makes it empty: this file has defined __VMLINUX_H__
 *     already, and the program sees only what stands here. That order is wrong for libbpf as
 *     well, whose headers need the kernel's types before them.
 *
 * After the kernel's uapi headers (<linux/types.h>, <linux/bpf.h>, ...) the parts that those have
 * declared are left out, recognised by their guard macros.
 */
#if !defined(__VMLINUX_H__) && !defined(__EBPFGEN_COMMON_H__)
#define __EBPFGEN_COMMON_H__

#include "ebpfgen/types.h"
#include "ebpfgen/bpf.h"
#include "ebpfgen/pt_regs.h"

#endif
