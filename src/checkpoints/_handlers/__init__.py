"""Where saves go: files, memory, functions; and what becomes of each save."""
