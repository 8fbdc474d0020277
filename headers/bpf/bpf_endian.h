/* SPDX-License-Identifier: MIT */
/* libbpf's <bpf/bpf_endian.h>, with the types it needs before it; bpf_helpers.h here says how. */
#include "../common.h"

#if __has_include("libbpf/bpf_endian.h")
#include "libbpf/bpf_endian.h"
#else
#if !__has_include_next(<bpf/bpf_endian.h>)
#include "../ebpfgen/libbpf_missing.h"
#endif
#include_next <bpf/bpf_endian.h>
#endif
