"""
Probes: the calls of functions saved whose authors never heard of this library.

A probe puts a wrapper in the place of one attribute of a module or a class, now or when
the module comes, and puts back what was there. Nothing is imported for it.
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

from checkpoints._probes.arrival import is_loading, when_loaded
from checkpoints._probes.attribute import Attribute, check_wrapt
from checkpoints._probes.calls import CallSaver
from checkpoints._process.exit import at_exit, is_first_process
from checkpoints._process.variables import PROBES
from checkpoints._text import nearest, shown
from checkpoints.errors import ConfigError

__all__ = ["Probe", "checked_target", "probe", "probes_from_environment"]

logger = logging.getLogger("checkpoints")

Target: TypeAlias = "str | tuple[Any, str] | Any"

_probes: dict[str, Probe] = {}


class _Place(NamedTuple):
    """Where a function is: the ways to read its dotted name, the likeliest first."""

    name: str
    ways: tuple[tuple[str, str], ...]


class Probe:
    """
    What `probe` returns: one function, whose calls are saved where a rule is on.

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
        """Whether the function is there, and its calls go through the probe."""
        attribute = None if self._is_removed else self._attribute
        return attribute is not None and attribute.is_replaced

    @property
    def is_there(self) -> bool:
        """Whether it is in place, or waits for its module."""
        return self.is_in_place or self._attribute is None

    def remove(self) -> None:
        """Take the probe off; all is as it was before. Twice is no harm."""
        if self._is_removed:
            return
        self._is_removed = True
        if _probes.get(self.name) is self:
            del _probes[self.name]
        if self._saver is not None:
            self._saver.is_active = False
        if self._attribute is not None and not self._attribute.restore():
            logger.warning(
                "%r: something else is in its place by now, and was left there", self
            )

    def put_on(self, root: Any, path: str) -> None:
        """
        Put the probe on a function.

        Raises:
            ConfigError: If there is none that could be probed.
        """
        attribute = Attribute(root, path)
        saver = CallSaver(
            self.name, attribute.function, of_class=attribute.is_class_method
        )
        attribute.replace(saver.run, saver.is_on)
        self._attribute, self._saver = attribute, saver

    def wait_for(self, place: _Place) -> None:
        """
        Put the probe on a function as soon as its module is loaded.

        Raises:
            ConfigError: If it is loaded, and the function is not there.
        """
        self._arrive(place)
        for module, _ in place.ways:
            missing = module not in sys.modules or is_loading(module)
            if self._attribute is None and missing:
                when_loaded(module, functools.partial(self._arrived, place, module))
        # Another thread may have loaded it just now.
        self._arrive(place)

    def _arrived(self, place: _Place, module: str) -> None:
        try:
            self._arrive(place, module)
        except Exception as error:  # noqa: BLE001 - the import is the host's
            logger.warning("%s", error)
            self.remove()

    def _arrive(self, place: _Place, loaded: str = "") -> None:
        with self._lock:
            if self._attribute is None and not self._is_removed:
                self._look_in(place, loaded)

    def _look_in(self, place: _Place, loaded: str) -> None:
        for name, path in place.ways:
            module = sys.modules.get(name)
            if module is None:
                continue
            if name != loaded and is_loading(name):
                return
            if len(place.ways) == 1 or not _is_submodule(module, path):
                self.put_on(module, path)
            return

    def tell_of_absence(self) -> None:
        """Tell the log if the function never came, or did not stay."""
        if self._attribute is not None and not self.is_in_place:
            logger.warning("%r: from then on its calls were not seen", self)
        elif self._attribute is None:
            logger.warning("%r: %s", self, _why_absent(self.name))


def probe(target: Target, /) -> Probe:
    """
    Save what a function is called with, and what it returns or raises.

    Its name is that of the target, as you wrote it, with dots: `"mypkg.mod:Model.fit"`
    is `mypkg.mod.Model.fit`. While no rule is on for it, a call costs one lookup. Each
    call has the tag `call`, a number from 1 on for each name and process, which what is
    saved inside the call has as well; a process that another one started has the tag
    `process` too.

    The arguments are saved before the function runs, under its name, each by the name
    of its parameter, defaults that are plain values among them. What it returns is
    saved below that name as `result`, with the value `result`; what it raises as
    `exception`, with the texts `type`, `message` and `traceback`. A value that cannot
    be saved is left out, and the value `not saved` says why. A coroutine or a generator
    has its result at its end; what a generator yields is not saved, and of an
    asynchronous one the arguments only.

    Args:
        target: `"package.module:function"`, `"package.module:Class.method"`, the same
            with a dot, a function, or a module or class and a name. A module that is
            not loaded yet is not imported: the function is probed when it comes.

    Returns:
        The probe. `remove()` takes it off, and `with probe(...):` does so at the end of
        the block.

    Raises:
        ConfigError: If the target cannot be one, or its module is loaded and has no
            such function, or it is probed already.
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
        if known.is_there:
            message = f"{place.name} is probed already: remove that probe first"
            raise ConfigError(message)
        known.remove()  # its module was loaded anew
    made = Probe(place.name)
    if root is None:
        made.wait_for(place)
    else:
        made.put_on(root, place.ways[0][1])
    _probes[place.name] = made
    is_first_process()  # settled here, for all that this process starts from now on
    at_exit(_report)
    return made


def checked_target(text: str) -> str:
    """
    Return the name of what a text targets, as far as it can be told without importing.

    Raises:
        ConfigError: If it cannot be a target.
        MissingDependencyError: If wrapt is not installed.

    >>> checked_target("mypkg.mod:Model.fit")
    'mypkg.mod.Model.fit'
    """
    check_wrapt()
    return _place_in_text(text).name


def probes_from_environment() -> list[Probe]:
    """
    Put on the probes that `CHECKPOINTS_PROBES` names; what is wrong is told to the log.

    >>> probes_from_environment()
    []
    """
    made = []
    for target in filter(None, map(str.strip, os.environ.get(PROBES, "").split(";"))):
        try:
            if checked_target(target) not in _probes:
                made.append(probe(target))
        except Exception as error:  # noqa: BLE001 - a module may do anything when asked
            logger.warning("%s: %s", PROBES, error)
    return made


def _why_absent(name: str) -> str:
    """Return why the module of a probe did not come."""
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
    hint = f"; the nearest module is {near!r}" if near else ""
    return f"no such module was imported, or its import failed{hint}"


def _report() -> None:
    if is_first_process():
        for each in list(_probes.values()):
            each.tell_of_absence()


def _place_of(target: Target) -> tuple[_Place, Any]:
    """Return where a target is, and the module or class to look in, if it is known."""
    if isinstance(target, str):
        return _place_in_text(target), None
    if isinstance(target, tuple):
        if len(target) != 2:  # noqa: PLR2004 - an owner and a name
            raise _refused(target)
        return _place_in_owner(*target)
    function = getattr(target, "__func__", target)
    module = getattr(function, "__module__", None)
    path = getattr(function, "__qualname__", None)
    if isinstance(target, type) or not (module and path) or module not in sys.modules:
        raise _refused(target)
    root = sys.modules[module]
    if _found(root, path) is not function:
        message = (
            f"{shown(target)} is not found as {module}:{path}, and so cannot be "
            "replaced: give what holds it, as (owner, 'name'), or use @probed"
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
        raise _refused((owner, path))
    is_class = isinstance(owner, type)
    name = f"{owner.__module__}.{owner.__qualname__}" if is_class else owner.__name__
    name = name.replace(".<locals>", "")
    return _Place(f"{name}.{path}", (("", path),)), owner


def _place_in_text(text: str) -> _Place:
    module, colon, path = text.strip().partition(":")
    parts = [*module.split("."), *path.split(".")] if colon else module.split(".")
    if len(parts) == 1 or not all(part.isidentifier() for part in parts):
        raise _refused(text)
    if colon:
        return _Place(".".join(parts), ((module, path),))
    ways = [
        (".".join(parts[:end]), ".".join(parts[end:]))
        for end in range(len(parts) - 1, 0, -1)
    ]
    return _Place(".".join(parts), tuple(ways))


def _refused(target: Any) -> ConfigError:
    message = (
        f"{shown(target)} cannot be probed: a target is 'package.module:function' or "
        "'package.module:Class.method', a function, or (owner, 'name')"
    )
    if isinstance(target, str) and set(target) & set("=?"):
        message += (
            "; where its calls are saved, and which, is said by a rule for the name, "
            "such as package.module.function=./out?limit=10"
        )
    return ConfigError(message)


def _is_submodule(module: ModuleType, path: str) -> bool:
    """Tell whether what follows a module may be a module that is not loaded yet."""
    first = path.partition(".")[0]
    if "." not in path or first in vars(module) or not hasattr(module, "__path__"):
        return False
    return importlib.util.find_spec(f"{module.__name__}.{first}") is not None
