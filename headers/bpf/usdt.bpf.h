/* SPDX-License-Identifier: MIT */
/* libbpf's <bpf/usdt.bpf.h>, with the types it needs before it; bpf_helpers.h here says how. */
#include "../common.h"

#if __has_include("libbpf/usdt.bpf.h")
#include "libbpf/usdt.bpf.h"
#else
#if !__has_include_next(<bpf/usdt.bpf.h>)
#include "../ebpfgen/libbpf_missing.h"
#endif
#include_next <bpf/usdt.bpf.h>
#endif
