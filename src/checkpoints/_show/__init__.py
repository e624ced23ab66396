"""Saved values and headers, as something to look at."""
