"""A test bench for the write path: processes that save, and die or fail on demand."""
