"""Benchmarks: `python -m benchmarks` times gradcore beside torch. Start at cases.py: what is timed."""
