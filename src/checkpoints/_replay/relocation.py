"""Where a process imports from: a worktree in place of its repository."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from itertools import accumulate
from typing import Any

__all__ = ["Relocation"]

_OURS = __name__.partition(".")[0]


class Relocation:
    """
    What of a repository is taken from a worktree of it.

    Args:
        repository: The top folder of the repository.
        worktree: That of the worktree.
        kept: Files and folders of the repository that are not committed, such as an
            environment; they are not in the worktree.
    """

    def __init__(self, repository: str, worktree: str, kept: Sequence[str]) -> None:
        self.repository, self.worktree = repository, worktree
        self.kept = {name.rstrip("/") for name in kept if name}

    def of(self, path: str) -> str:
        """Return the place of a path in the worktree; the path itself if it stays."""
        inside = self._inside(path)
        if inside is None:
            return path
        there = os.path.normpath(os.path.join(self.worktree, inside))
        names = inside.replace(os.sep, "/").split("/")
        above = accumulate(names, "{}/{}".format)
        is_kept = not self.kept.isdisjoint(above) and not os.path.exists(there)
        return path if is_kept else there

    def install(self) -> None:
        """Have this process import from the worktree from now on."""
        sys.path[:] = map(self.of, sys.path)
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """
        Return the module that the other finders find, as it is in the worktree.

        A package that is installed for editing has a finder of its own, which knows
        the repository.

        Raises:
            ModuleNotFoundError: If it is not in the worktree.
        """
        if name.partition(".")[0] == _OURS:
            return None
        for finder in [it for it in sys.meta_path if it is not self]:
            find = getattr(finder, "find_spec", None)
            if find and (found := find(name, path, target)) is not None:
                return self._moved(found)
        return None

    def modules_left(self) -> Sequence[str]:
        """Return the modules that were imported from the repository nevertheless."""
        found = sorted(
            name
            for name, module in list(sys.modules.items())
            if name.partition(".")[0] != _OURS and self._is_left(module)
        )
        return [name for name in found if not {*_parents(name)} & {*found}]

    def _moved(self, spec: ModuleSpec) -> ModuleSpec:
        places = spec.submodule_search_locations
        moved = None if places is None else [self.of(it) for it in places]
        origin = spec.origin or ""
        if not spec.has_location:
            if moved is not None and moved != [*(places or ())]:
                spec.submodule_search_locations = moved
            return spec
        there = self.of(origin)
        if there == origin:
            return spec
        found = importlib.util.spec_from_file_location(
            spec.name, there, submodule_search_locations=moved
        )
        if found is None or not os.path.isfile(there):
            told = f"No module named {spec.name!r} at this revision"
            raise ModuleNotFoundError(told, name=spec.name)
        return found

    def _is_left(self, module: object) -> bool:
        file = getattr(module, "__dict__", {}).get("__file__")
        if not isinstance(file, str) or self._inside(file) is None:
            return False
        # Environments are often in the repository.
        return not _is_in(file, sys.prefix) and not _is_in(file, sys.base_prefix)

    def _inside(self, path: str) -> str | None:
        """Return a path relative to the repository; None if it is elsewhere."""
        real = os.path.realpath(path)
        # It may be that temporary folders are in the repository.
        if not _is_in(real, self.repository) or _is_in(real, self.worktree):
            return None
        return os.path.relpath(real, self.repository)


def _is_in(path: str, folder: str) -> bool:
    real, top = os.path.realpath(path), os.path.realpath(folder)
    return real == top or real.startswith(top.rstrip(os.sep) + os.sep)


def _parents(name: str) -> Iterator[str]:
    while name := name.rpartition(".")[0]:
        yield name
