"""Where bytes go: named files below a root."""

from checkpoints.storage._local import LocalStore
from checkpoints.storage._local_file import LocalFile
from checkpoints.storage._store import Source, Status, Store
from checkpoints.storage._stores import open_store, split_path

__all__ = [
    "LocalFile",
    "LocalStore",
    "Source",
    "Status",
    "Store",
    "open_store",
    "split_path",
]
