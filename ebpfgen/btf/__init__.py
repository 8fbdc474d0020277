"""The kernel's type format, BTF: its kinds, a reader for it, and the layout of C types."""
