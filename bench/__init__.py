"""Benchmarks, which hold the budgets; no test does."""
