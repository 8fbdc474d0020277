"""Fuzzing of what reads object files: any bytes give a result, or an error that says where."""
