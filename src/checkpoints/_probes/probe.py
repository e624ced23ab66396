"""
Probes: saving the calls of functions that do not know of this library.

A probe replaces an attribute of a module or a class by a wrapper, now or when the
module is imported, and restores it when it is removed. It imports nothing itself.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
import os
import sys
import threading
from types import ModuleType
from typing import Any, NamedTuple, Self, TypeAlias

from checkpoints._probes.attribute import Attribute, check_wrapt
from checkpoints._probes.calls import CallSaver
from checkpoints._probes.import_hooks import is_loading, when_loaded
from checkpoints._process.exit import at_exit, is_first_process
from checkpoints._process.variables import PROBES
from checkpoints._rules.idle_rule import why_unknown
from checkpoints._text import nearest, shown
from checkpoints.errors import ConfigError

__all__ = ["Probe", "checked_target", "probe", "probes_from_environment"]

logger = logging.getLogger("checkpoints")

Target: TypeAlias = "str | tuple[Any, str] | Any"

_probes: dict[str, Probe] = {}


class _Place(NamedTuple):
    """A dotted name, and the ways to split it into module and path, likeliest first."""

    name: str
    splits: tuple[tuple[str, str], ...]


class Probe:
    """
    A probe, as `probe` returns it: one function whose calls are saved by rules.

    Removed by `remove()`, or at the end of a `with` block.

    Args:
        name: The dotted name of the function, under which its calls are saved.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._attribute: Attribute | None = None
        self._saver: CallSaver | None = None
        self._is_removed = False
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        if self._is_removed:
            state = "removed"
        elif self._attribute is None:
            state = "waiting for its module"
        else:
            state = "in place" if self.is_in_place else "replaced by something else"
        return f"<Probe {self.name!r}, {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    @property
    def is_in_place(self) -> bool:
        """Whether the calls of the function go through the probe."""
        attribute = None if self._is_removed else self._attribute
        return attribute is not None and attribute.is_replaced

    @property
    def is_pending_or_in_place(self) -> bool:
        """Whether it is waiting for its module, or in place."""
        return self.is_in_place or self._attribute is None

    def remove(self) -> None:
        """Remove the probe and restore the function; harmless if repeated."""
        if self._is_removed:
            return
        self._is_removed = True
        if _probes.get(self.name) is self:
            del _probes[self.name]
        if self._saver is not None:
            self._saver.is_active = False
        if self._attribute is not None and not self._attribute.restore():
            logger.warning(
                "%r: other code has replaced the function since, and was left in place",
                self,
            )

    def install(self, root: Any, path: str) -> None:
        """
        Install the probe on a function.

        Raises:
            ConfigError: If there is no function that can be probed.
        """
        attribute = Attribute(root, path)
        saver = CallSaver(
            self.name, attribute.function, of_class=attribute.is_class_method
        )
        attribute.replace(saver.run, saver.is_on)
        self._attribute, self._saver = attribute, saver

    def install_when_loaded(self, place: _Place) -> None:
        """
        Install the probe on a function as soon as its module is loaded.

        Raises:
            ConfigError: If the module is loaded, but has no such function.
        """
        self._install_if_loaded(place)
        for module, _ in place.splits:
            missing = module not in sys.modules or is_loading(module)
            if self._attribute is None and missing:
                when_loaded(module, functools.partial(self._on_import, place, module))
        # Another thread may have loaded it just now.
        self._install_if_loaded(place)

    def _on_import(self, place: _Place, module: str) -> None:
        try:
            self._install_if_loaded(place, module)
        except Exception as error:  # noqa: BLE001 - the host's import must not fail
            logger.warning("%s", error)
            _explain(self.name, str(error))
            self.remove()

    def _install_if_loaded(self, place: _Place, loaded: str = "") -> None:
        with self._lock:
            if self._attribute is None and not self._is_removed:
                self._find_and_install(place, loaded)

    def _find_and_install(self, place: _Place, loaded: str) -> None:
        for name, path in place.splits:
            module = sys.modules.get(name)
            if module is None:
                continue
            if name != loaded and is_loading(name):
                return
            if len(place.splits) == 1 or not _is_submodule(module, path):
                self.install(module, path)
            return

    def warn_if_absent(self) -> None:
        """Log if the function never appeared, or was replaced."""
        if self._attribute is not None and not self.is_in_place:
            logger.warning("%r: its calls were not seen from then on", self)
        elif self._attribute is None:
            logger.warning("%r: %s", self, _why_absent(self.name))


def probe(target: Target, /) -> Probe:
    """
    Save the arguments of a function's calls, and what they return or raise.

    The name is the target as given, with dots: `"mypkg.mod:Model.fit"` is
    `mypkg.mod.Model.fit`. While no rule is on for it, a call costs one lookup. Each
    call has the tag `call`, a number from 1 up per name and process, which also applies
    to everything saved inside the call; in a process that another one started, there is
    a tag `process` too.

    The arguments are saved before the function runs, under its name, each by the name
    of its parameter, including defaults that are plain values. What it returns is saved
    below that name as `result`, with the value `result`; what it raises as `exception`,
    with the texts `type`, `message` and `traceback`. A value that cannot be saved is
    left out, and the value `not saved` says why. The result of a coroutine or generator
    is saved at its end; what a generator yields is not saved, and of an asynchronous
    generator only the arguments are.

    Args:
        target: `"package.module:function"`, `"package.module:Class.method"`, the same
            with a dot, a function, or a tuple of a module or class and a name. A module
            that is not loaded yet is not imported: the function is probed as soon as
            the program imports it.

    Returns:
        The probe. `remove()` removes it, and so does the end of the block in
        `with probe(...):`.

    Raises:
        ConfigError: If the target is invalid, its module is loaded but has no such
            function, or the function is already probed.
        MissingDependencyError: If wrapt is not installed.

    >>> import textwrap
    >>> from checkpoints import capture
    >>> with probe("textwrap:shorten"), capture("textwrap") as seen:
    ...     short = textwrap.shorten("Hello world", 8, placeholder="..")
    >>> seen["call=1/textwrap/shorten"]
    {'text': 'Hello world', 'width': 8, 'kwargs': {'placeholder': '..'}}
    >>> seen["call=1/textwrap/shorten/result"]
    {'result': 'Hello..'}
    """
    check_wrapt()
    place, root = _place_of(target)
    if (known := _probes.get(place.name)) is not None:
        if known.is_pending_or_in_place:
            message = f"{place.name} is already probed: remove that probe first"
            raise ConfigError(message)
        known.remove()  # its module was reloaded
    created = Probe(place.name)
    if root is None:
        created.install_when_loaded(place)
    else:
        created.install(root, place.splits[0][1])
    _probes[place.name] = created
    _explain(place.name)
    is_first_process()  # decided here, before this process starts others
    at_exit(_report)
    return created


def checked_target(text: str) -> str:
    """
    Return the name of a target that is given as text, checked without importing it.

    Raises:
        ConfigError: If the target is invalid.
        MissingDependencyError: If wrapt is not installed.

    >>> checked_target("mypkg.mod:Model.fit")
    'mypkg.mod.Model.fit'
    """
    check_wrapt()
    return _place_in_text(text).name


def probes_from_environment() -> list[Probe]:
    """
    Install the probes that `CHECKPOINTS_PROBES` names, and log errors.

    >>> probes_from_environment()
    []
    """
    created = []
    for target in filter(None, map(str.strip, os.environ.get(PROBES, "").split(";"))):
        try:
            if checked_target(target) not in _probes:
                created.append(probe(target))
        except Exception as error:  # noqa: BLE001 - a module's __getattr__ may raise
            logger.warning("%s: %s", PROBES, error)
            _explain(target.replace(":", "."), str(error))
    return created


def _explain(name: str, why: str = "") -> None:
    """Let a rule for the name of a probe say why there is no such function."""
    why_unknown[name] = lambda: f"replaced no function: {why or _why_absent(name)}"


def _why_absent(name: str) -> str:
    """Return why the function of a probe never appeared."""
    file = getattr(sys.modules.get("__main__"), "__file__", None) or ""
    main, _ = os.path.splitext(os.path.basename(file))
    if main and name.startswith(f"{main}."):
        return f"{main} is the main file of this program: use @probed there"
    parents = [name.rpartition(".")[0]]
    while parents[-1]:
        parents.append(parents[-1].rpartition(".")[0])
    if any(parent in sys.modules for parent in parents):
        return "its module was not imported, or its import failed"
    near = nearest(name, list(sys.modules))
    advice = f"; did you mean {near!r}?" if near else ""
    return f"no such module was imported, or its import failed{advice}"


def _report() -> None:
    if is_first_process():
        for each in list(_probes.values()):
            each.warn_if_absent()


def _place_of(target: Target) -> tuple[_Place, Any]:
    """Return the place of a target, and the module or class that has it, if known."""
    if isinstance(target, str):
        return _place_in_text(target), None
    if isinstance(target, tuple):
        if len(target) != 2:  # noqa: PLR2004 - an owner and a name
            raise _invalid(target)
        return _place_in_owner(*target)
    function = getattr(target, "__func__", target)
    module = getattr(function, "__module__", None)
    path = getattr(function, "__qualname__", None)
    if isinstance(target, type) or not (module and path) or module not in sys.modules:
        raise _invalid(target)
    root = sys.modules[module]
    if _found(root, path) is not function:
        message = (
            f"cannot probe {shown(target)}: it is not found as {module}:{path}. Give "
            "the module or class that has it, as (owner, 'name'), or use @probed"
        )
        raise ConfigError(message)
    return _Place(f"{module}.{path}", ((module, path),)), root


def _found(root: ModuleType, path: str) -> Any:
    try:
        found = functools.reduce(getattr, path.split("."), root)
    except AttributeError:
        return None
    return getattr(found, "__func__", found)


def _place_in_owner(owner: Any, path: Any) -> tuple[_Place, Any]:
    if not isinstance(owner, (type, ModuleType)) or not isinstance(path, str):
        raise _invalid((owner, path))
    is_class = isinstance(owner, type)
    name = f"{owner.__module__}.{owner.__qualname__}" if is_class else owner.__name__
    name = name.replace(".<locals>", "")
    return _Place(f"{name}.{path}", (("", path),)), owner


def _place_in_text(text: str) -> _Place:
    module, colon, path = text.strip().partition(":")
    parts = [*module.split("."), *path.split(".")] if colon else module.split(".")
    if len(parts) == 1 or not all(part.isidentifier() for part in parts):
        raise _invalid(text)
    if colon:
        return _Place(".".join(parts), ((module, path),))
    splits = [
        (".".join(parts[:end]), ".".join(parts[end:]))
        for end in range(len(parts) - 1, 0, -1)
    ]
    return _Place(".".join(parts), tuple(splits))


def _invalid(target: Any) -> ConfigError:
    message = (
        f"cannot probe {shown(target)}: expected 'package.module:function', "
        "'package.module:Class.method', a function, or (owner, 'name')"
    )
    if isinstance(target, str) and set(target) & set("=?"):
        message += (
            "; to choose where calls are saved, and which, add a rule for the name, "
            "such as package.module.function=./out?limit=10"
        )
    return ConfigError(message)


def _is_submodule(module: ModuleType, path: str) -> bool:
    """Tell whether a path may begin with a submodule that is not loaded yet."""
    first = path.partition(".")[0]
    if "." not in path or first in vars(module) or not hasattr(module, "__path__"):
        return False
    return importlib.util.find_spec(f"{module.__name__}.{first}") is not None
