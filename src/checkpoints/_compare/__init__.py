"""Comparison of two values and of two runs: what differs, and where most."""
