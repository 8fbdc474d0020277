/* SPDX-License-Identifier: MIT */
/* libbpf's <bpf/bpf_core_read.h>, with the types it needs before it; bpf_helpers.h here says how. */
#include "../common.h"

#if __has_include("libbpf/bpf_core_read.h")
#include "libbpf/bpf_core_read.h"
#else
#if !__has_include_next(<bpf/bpf_core_read.h>)
#include "../ebpfgen/libbpf_missing.h"
#endif
#include_next <bpf/bpf_core_read.h>
#endif
