"""The moment at which a module is there: loaded to the end of its source."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from typing import Any

__all__ = ["is_loading", "when_loaded"]

Action = Callable[[], None]

_STATE = "_initializing"


def is_loading(name: str) -> bool:
    """Tell whether the source of a module is being executed right now."""
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return bool(getattr(spec, _STATE, False))


def when_loaded(name: str, action: Action) -> None:
    """
    Have something done at the end of a module's import, which may be under way.

    Args:
        name: A module that is not loaded yet.
        action: Called in the thread that imports it, before the import returns.
    """
    if name not in sys.modules:
        import wrapt

        wrapt.register_post_import_hook(lambda _: action(), name)
        return
    spec: Any = sys.modules[name].__spec__
    if type(spec) is not _Watched:
        spec.checkpoints_kind, spec.checkpoints_actions = type(spec), []
        spec.__class__ = _Watched

    def done() -> None:
        # An import that has failed may be tried again.
        (action if name in sys.modules else lambda: when_loaded(name, action))()

    spec.checkpoints_actions.append(done)
    if not is_loading(name):
        done()  # it ended in the meantime, in another thread


class _Watched(ModuleSpec):
    """A spec that notices when Python is done with the import that it stands for."""

    checkpoints_actions: list[Action]

    # Hooks are asked before an import begins, and of one that has begun there is no
    # other sign than this attribute, which Python sets whatever becomes of it.
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
