"""Replay: one saved call, called again and compared with what it did then."""
