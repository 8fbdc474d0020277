"""BPF programs that no one here wrote: the kernel's selftests and the tools of libbpf-tools."""
