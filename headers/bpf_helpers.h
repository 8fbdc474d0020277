/* SPDX-License-Identifier: MIT */
/* For programs that write #include "bpf_helpers.h", as they did before libbpf had a bpf/ folder. */
#include <bpf/bpf_helpers.h>
