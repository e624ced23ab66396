"""Files that a process was writing when it was killed."""

from __future__ import annotations

import datetime
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import suppress

from checkpoints.cli._liveness import is_running
from checkpoints.cli._removal import Doomed, is_aside
from checkpoints.cli._screen import tell

__all__ = ["leftovers"]

# The number of the process, what tells hosts and restarts apart, and a count.
_NAME = re.compile(r"\.([0-9]+)-[0-9a-f]{12}-[0-9]+\.ckpt\.tmp")


def leftovers(root: str, age: datetime.timedelta) -> Iterator[Doomed]:
    """
    Yield the unfinished files that nobody goes on writing.

    Nobody has touched such a file for that long, and no process of this machine has
    the number in its name. The number alone tells nothing: the process may run on
    another machine, or in another container, that writes to the same folder.

    Args:
        root: A folder.
        age: For how long a file has to be as it is.
    """
    oldest = time.time() - age.total_seconds()
    for folder, _, files in os.walk(root):
        for file in files:
            if is_aside(file):
                path = os.path.join(folder, file)
                tell(f"kept: {path}: a deletion was ended in the middle; see `show`")
            found = _NAME.fullmatch(file)
            if found is None:
                continue
            path = os.path.join(folder, file)
            with suppress(OSError):
                status = os.lstat(path)
                if not stat.S_ISREG(status.st_mode):
                    continue
                if max(status.st_mtime, status.st_ctime) > oldest:
                    continue
                if is_running(int(found[1])):
                    tell(f"kept: {path}: a process of that number is running")
                    continue
                yield Doomed.of(path, status)
