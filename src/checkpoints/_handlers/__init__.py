"""Handlers: saving to files, to memory or through functions, and the outcomes."""
