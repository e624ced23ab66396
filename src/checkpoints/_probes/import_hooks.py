"""Import hooks: actions at the end of a module's import."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from typing import Any

from checkpoints._process.libraries import imported

__all__ = ["is_loading", "when_any_loaded", "when_loaded"]

Action = Callable[[], None]

_STATE = "_initializing"


def is_loading(name: str) -> bool:
    """Tell whether the source of a module is being executed."""
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return bool(getattr(spec, _STATE, False))


def when_loaded(name: str, action: Action) -> None:
    """
    Run an action at the end of a module's import, which may already be in progress.

    Args:
        name: A module that is not completely loaded yet.
        action: Called in the thread that imports it, before the import returns.
    """
    if name not in sys.modules:
        imported("wrapt").register_post_import_hook(lambda _: action(), name)
        return
    spec: Any = sys.modules[name].__spec__
    if type(spec) is not _WatchedSpec:
        spec.checkpoints_kind, spec.checkpoints_actions = type(spec), []
        spec.__class__ = _WatchedSpec

    def run() -> None:
        # A failed import may be repeated.
        (action if name in sys.modules else lambda: when_loaded(name, action))()

    spec.checkpoints_actions.append(run)
    if not is_loading(name):
        run()  # the import has ended meanwhile, in another thread


class _WatchedSpec(ModuleSpec):
    """A module spec that runs actions when Python has finished its import."""

    checkpoints_actions: list[Action]

    # Import hooks are called before an import begins. For one in progress, this
    # attribute is the only signal: Python sets it even if the import fails.
    @property
    def _initializing(self) -> bool:
        return bool(vars(self)[_STATE])

    @_initializing.setter
    def _initializing(self, value: bool) -> None:
        own = vars(self)
        own[_STATE] = value
        if not value:
            self.__class__ = own.pop("checkpoints_kind")
            for action in own.pop("checkpoints_actions"):
                action()


def when_any_loaded(
    covers: Callable[[str], bool], action: Callable[[str], object]
) -> Callable[[], None]:
    """
    Run an action at the end of the import of each module that a test covers.

    Args:
        covers: Tells whether the module of a name is meant.
        action: Called with the name, as by `when_loaded`.

    Returns:
        A function that ends this.
    """
    if _finder not in sys.meta_path:
        # Behind ours, its finder calls what ours has registered.
        when_loaded("checkpoints has no such module", lambda: None)
        sys.meta_path.insert(0, _finder)
    watch = _Watch(covers, action)
    _finder.watches.append(watch)
    return lambda: _finder.watches.remove(watch)


class _Watch:
    """What waits for modules that a test covers."""

    def __init__(
        self, covers: Callable[[str], bool], action: Callable[[str], object]
    ) -> None:
        self.covers, self._action = covers, action
        self._waiting: set[str] = set()

    def wait_for(self, name: str) -> None:
        """Run the action once when this module is loaded."""
        if name not in self._waiting:
            self._waiting.add(name)
            when_loaded(name, lambda: self._run(name))

    def _run(self, name: str) -> None:
        self._waiting.discard(name)
        if self in _finder.watches:
            self._action(name)


class _Finder:
    """Finds no module, but is asked for each."""

    def __init__(self) -> None:
        self.watches: list[_Watch] = []

    def find_spec(self, name: str, *_: object) -> None:
        """Wait for a module that is about to be imported, if anything wants it."""
        for watch in list(self.watches):
            if watch.covers(name):
                watch.wait_for(name)


_finder: Any = _Finder()
