/* SPDX-License-Identifier: MIT */
/* For programs that write #include "bpf_tracing.h", as they did before libbpf had a bpf/ folder. */
#include <bpf/bpf_tracing.h>
