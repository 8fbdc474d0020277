"""Run the command line: ``python -m ebpfgen``."""

from ebpfgen.cli import main

main()
