"""Where bytes go: four verbs on a root, `put`, `get`, `list` and `delete`."""

from checkpoints.storage._local import LocalStore, open_store
from checkpoints.storage._local_file import LocalFile

__all__ = ["LocalFile", "LocalStore", "open_store"]
