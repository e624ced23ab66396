"""
A process of its own that talks to an object store for one in which that would hang.

The threads of a client do not survive a fork. So the child of a process that has used
one starts a new Python, and hands its requests to that.
"""

from __future__ import annotations

import errno
import os
import pickle
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from checkpoints._process.exit import at_exit
from checkpoints._process.forks import after_fork_in_child
from checkpoints._process.libraries import imported
from checkpoints._process.variables import OUTSIDE
from checkpoints.storage._bucket import Blob, Options, UncertainError
from checkpoints.storage._store import Buffer

__all__ = ["CourierBucket", "serve"]

_PROGRAM = (
    "from checkpoints.storage._obstore import ObstoreBucket;"
    "from checkpoints.storage._courier import serve; serve(ObstoreBucket)"
)


class CourierBucket:
    """
    The objects below a URL, by a process of its own.

    Args:
        root: The URL.
        options: As for `ObstoreBucket`. They reach it through a pipe.
    """

    def __init__(self, root: str, options: Options) -> None:
        self._opened = root, dict(options)
        self.may_ignore_conditions: bool = self._ask("may_ignore_conditions")

    def _ask(self, name: str, *args: Any, **how: Any) -> Any:
        return _courier.ask((self._opened, name, args, how))

    def write(
        self, key: str, data: Sequence[Buffer], mark: str, *, creates: bool
    ) -> None:
        """Write an object."""
        self._ask("write", key, [b"".join(data)], mark, creates=creates)

    def mark_of(self, key: str) -> str | None:
        """Return the mark of an object; None if there is no such object."""
        found: str | None = self._ask("mark_of", key)
        return found

    def find(self, key: str) -> Blob | None:
        """Return an object; None if there is none."""
        found: Blob | None = self._ask("find", key)
        return found

    def end_of(self, key: str, size: int) -> tuple[Blob, bytes]:
        """Return an object and its last bytes."""
        found: tuple[Blob, bytes] = self._ask("end_of", key, size)
        return found

    def read(self, blob: Blob, start: int, size: int) -> bytes:
        """Return bytes of an object."""
        found: bytes = self._ask("read", blob, start, size)
        return found

    def list(self, prefix: str, *, only_first: bool = False) -> Sequence[Blob]:
        """Return the objects below a prefix."""
        found: Sequence[Blob] = self._ask("list", prefix, only_first=only_first)
        return found

    def level(self, prefix: str) -> tuple[Sequence[str], Sequence[Blob]]:
        """Return the folders directly below a prefix, and the objects there."""
        found: tuple[Sequence[str], Sequence[Blob]] = self._ask("level", prefix)
        return found

    def delete(self, key: str) -> None:
        """Delete an object."""
        self._ask("delete", key)


class _Courier:
    """The courier of this process, started when it is needed."""

    def __init__(self) -> None:
        self.renew()
        after_fork_in_child(self.renew)

    def renew(self) -> None:
        """Begin without one, as a forked child does."""
        self._lock = imported("threading").Lock()
        self._process: Any = None

    def ask(self, request: Any) -> Any:
        """Return the answer to a request; raise it if it is an error."""
        with self._lock:
            process = self._process or self._start()
            try:
                pickle.dump(request, process.stdin, pickle.HIGHEST_PROTOCOL)
                process.stdin.flush()
                answer = pickle.load(process.stdout)  # noqa: S301 - written by `serve`
            except (OSError, EOFError) as error:
                self._end()
                what = "The process that talks to the object store ended"
                raise UncertainError(errno.EPIPE, what) from error
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _start(self) -> Any:
        at_exit(self._end)
        subprocess = imported("subprocess")
        environment = {key: it for key, it in os.environ.items() if key not in OUTSIDE}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            # Ctrl-C is for who waits for it, and not for what it has begun.
            start_new_session=True,
        )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.stdin.close()
            process.stdout.close()
            process.wait()


_courier = _Courier()


def serve(opener: Any) -> NoReturn:
    """
    Answer requests until the pipe is closed, as such a process.

    Args:
        opener: Opens a root.
    """
    buckets: dict[str, Any] = {}
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            (root, options), name, args, how = pickle.load(requests)  # noqa: S301 - from our parent
        except EOFError:
            raise SystemExit(0) from None
        answer: Any
        try:
            place = f"{root} {sorted(options.items(), key=str)}"
            bucket = buckets.get(place) or buckets.setdefault(
                place, opener(root, options)
            )
            found = getattr(bucket, name)
            answer = found(*args, **how) if callable(found) else found
            answer = [*answer] if name == "list" else answer
        except Exception as error:  # noqa: BLE001 - raised in the parent
            answer = error
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()
