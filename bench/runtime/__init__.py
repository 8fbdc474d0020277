"""The runtime beside BCC, and beside C over libbpf as the limit: ``python -m bench.runtime``."""
