/* SPDX-License-Identifier: MIT */
/* Not a header: the one place of this message. Which of libbpf's is missing makes no difference. */
#error "libbpf's BPF headers were not found: install libbpf-dev (Debian, Ubuntu, Alpine), libbpf-devel (Fedora) or libbpf (Arch)"
