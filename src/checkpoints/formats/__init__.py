"""
Formats: how values become bytes and come back.

`register_format` adds one for a class of your own; the reference lists the built-in
kinds.
"""

from checkpoints.formats._kinds import register_format

__all__ = ["register_format"]
