"""C types as the compiler of this machine sees them, against what ebpfgen makes of them."""
