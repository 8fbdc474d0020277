/* SPDX-License-Identifier: MIT */
/* For programs that write #include "bpf_core_read.h", as they did before libbpf had a bpf/ folder. */
#include <bpf/bpf_core_read.h>
