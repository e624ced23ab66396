"""What a session knows of its tests and of their baselines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

import checkpoints
from checkpoints.pytest_plugin._recording import Recording

__all__ = ["FOLDER", "OBTAINED", "STATE", "State"]

FOLDER = "baselines"
OBTAINED = ".obtained"


class State:
    """
    What a session knows of its tests.

    Args:
        mode: Which baselines are rewritten: `"changed"`, `"new"` or `"all"` of them,
            or None.
    """

    def __init__(self, mode: str | None) -> None:
        self.mode = mode
        # The files of which all tests were collected.
        self.modules: set[Path] = set()
        self.used: set[str] = set()
        self.written: list[str] = []
        self.recording: Recording | None = None
        # Of the test that runs now.
        self._scopes = ExitStack()
        self._nodeid = ""
        self._is_tagged = False

    @contextmanager
    def running(self, nodeid: str) -> Iterator[None]:
        """Keep the saves of a test apart from those of others, while it runs."""
        self._nodeid, self._is_tagged = nodeid, False
        with self._scopes:
            if self.recording:
                self._scopes.enter_context(self.recording.recorder)
            self.tag()
            yield

    def tag(self) -> None:
        """Tag the saves of the test, if a rule gets those of other tests too."""
        if self._is_tagged:
            return
        own = self.recording and self.recording.rule
        if any(rule is not own for rule in checkpoints.rules()):
            self._scopes.enter_context(checkpoints.tags(test=self._nodeid))
            self._is_tagged = True

    def report(self) -> dict[str, list[str]]:
        """Return what the controller of several workers is told."""
        modules = list(map(str, self.modules))
        return {"modules": modules, "used": list(self.used), "written": self.written}

    def add(self, told: Mapping[str, list[str]]) -> None:
        """Add what a worker tells."""
        self.modules.update(map(Path, told["modules"]))
        self.used.update(told["used"])
        self.written += told["written"]

    def unused(self) -> list[str]:
        """Return the baselines that no test uses, of the files known as a whole."""
        found = []
        for folder in sorted({module.parent for module in self.modules}):
            for kept in _folders_in(folder / FOLDER):
                module = folder / f"{kept.name}.py"
                if module in self.modules or not module.exists():
                    found += [str(it) for it in _folders_in(kept)]
        return [it for it in found if it not in self.used and OBTAINED not in it]


STATE = pytest.StashKey[State]()


def _folders_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir())
