/* SPDX-License-Identifier: MIT */
/* For programs that write #include "bpf_endian.h", as they did before libbpf had a bpf/ folder. */
#include <bpf/bpf_endian.h>
