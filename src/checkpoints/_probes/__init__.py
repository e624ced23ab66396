"""Probes: saving the calls of functions that declare no save points."""
