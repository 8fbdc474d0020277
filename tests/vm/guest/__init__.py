"""What runs inside the virtual machine: run_all.py, and the checks it runs."""
