"""Tests that need a kernel with kprobes, run in a virtual machine."""
