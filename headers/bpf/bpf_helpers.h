/* SPDX-License-Identifier: MIT */
/*
 * libbpf's <bpf/bpf_helpers.h>, with the types it needs before it.
 *
 * libbpf's headers use __u64 and friends without declaring them, so a program has to include
 * them after vmlinux.h. The files of this folder stand before libbpf's on the include path, bring
 * common.h (nothing, after a vmlinux.h) and go on to the real header: the copy in libbpf/, where
 * a project has one, or the installed one. So they work in any order, and without common.h.
 *
 * They have no include guard: where two of these folders are on the path, the first's
 * #include_next finds the second, which must still go on to libbpf. All they lead to is guarded.
 */
#include "../common.h"

#if __has_include("libbpf/bpf_helpers.h")
#include "libbpf/bpf_helpers.h"
#else
#if !__has_include_next(<bpf/bpf_helpers.h>)
#include "../ebpfgen/libbpf_missing.h"
#endif
#include_next <bpf/bpf_helpers.h>
#endif
