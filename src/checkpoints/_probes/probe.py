"""
Probes: saving the calls of functions that do not know of this library.

A probe is put on functions now or when their module is imported, and taken off when it
is removed. It imports nothing itself.
"""

from __future__ import annotations

import functools
import logging
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any, Self

from checkpoints._keys.pattern import NamePattern
from checkpoints._probes.attribute import check_wrapt
from checkpoints._probes.functions import functions_like
from checkpoints._probes.import_hooks import is_loading, when_any_loaded, when_loaded
from checkpoints._probes.main_file import (
    is_main_file,
    main_names,
    when_any_defined,
    when_defined,
)
from checkpoints._probes.place import (
    Place,
    Target,
    is_submodule,
    place_of,
)
from checkpoints._probes.placement import Placement
from checkpoints._process.exit import at_exit, is_first_process
from checkpoints._rules.idle_rule import why_unknown
from checkpoints._rules.report import further_facts
from checkpoints._rules.settings import probed_names
from checkpoints._text import nearest
from checkpoints.errors import ConfigError

__all__ = ["Probe", "explain", "probe", "probes"]

logger = logging.getLogger("checkpoints")

# Of one pattern. More than anybody reads, and each costs memory and start-up.
_MOST = 2_000

probes: dict[str, Probe] = {}


class Probe:
    """
    A probe, as `probe` returns it: functions whose calls are saved by rules.

    Removed by `remove()`, or at the end of a `with` block.

    Args:
        place: Where the functions are.
        excluded: Patterns for names that are left out.
    """

    def __init__(self, place: Place, excluded: Iterable[str] = ()) -> None:
        self.name: str = place.name
        self._place = place
        self._excluded = [NamePattern(it.replace(":", ".")) for it in excluded]
        self._placements: dict[str, Placement] = {}
        self._refused: dict[str, str] = {}
        self._left_out = 0
        self._is_removed = False
        self._ends: list[Callable[[], None]] = []
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        if self._is_removed:
            state = "removed"
        elif not self._placements:
            state = "waiting for its module"
        elif not self.is_in_place:
            state = "replaced by something else"
        else:
            count = len(self._placements)
            is_one = list(self._placements) == [self.name]
            state = "in place" if is_one else f"in place on {count} functions"
        return f"<Probe {self.name!r}, {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    @property
    def names(self) -> list[str]:
        """The names under which calls are saved: one for each function found so far."""
        return list(self._placements)

    @property
    def rule_names(self) -> str:
        """The names of what it finds, as for a rule."""
        if not self._place.is_pattern:
            return self.name
        return probed_names(":".join(self._place.splits[0]))

    @property
    def is_in_place(self) -> bool:
        """Whether the calls of a function are seen."""
        return not self._is_removed and any(
            it.is_in_place for it in self._placements.values()
        )

    @property
    def is_pending_or_in_place(self) -> bool:
        """Whether it is waiting for its module, or in place."""
        return self.is_in_place or not self._placements

    def remove(self) -> None:
        """Remove the probe from all its functions; harmless if repeated."""
        if self._is_removed:
            return
        self._is_removed = True
        if probes.get(self.name) is self:
            del probes[self.name]
        for end in self._ends:
            end()
        removed = [it.remove() for it in self._placements.values()]
        if not all(removed):
            logger.warning(
                "%r: other code has replaced the function since, and was left in place",
                self,
            )

    def install(self, root: Any, path: str, name: str = "") -> None:
        """
        Install the probe on a function, on the methods of a class, or by a pattern.

        Args:
            root: The module or the class.
            path: The path from there.
            name: The name of the root, for a pattern.

        Raises:
            ConfigError: If there is no function that can be probed.
        """
        if self._place.is_pattern:
            for found in functions_like(root, path):
                self._add(f"{name}.{found}", root, found)
            return
        kind = functools.reduce(_member, path.split("."), root)
        if not isinstance(kind, type):
            self._placements[self.name] = Placement(self.name, root, path)
            return
        for found in functions_like(kind, "*"):
            self._add(f"{self.name}.{found}", kind, found)
        if not self._placements:
            why = next(iter(self._refused.values()), "it defines no method in Python")
            raise ConfigError(
                f"cannot probe {self.name}: it is a class of which no method can be "
                f"probed: {why}"
            )

    def _add(self, name: str, root: Any, path: str) -> None:
        """Install the probe on one of many functions, if nothing speaks against it."""
        known = (each._placements for each in probes.values())  # noqa: SLF001 - own
        if name in self._placements or any(name in names for names in known):
            return
        if any(pattern.covers(name) for pattern in self._excluded):
            return
        if len(self._placements) >= _MOST:
            self._left_out += 1
            return
        try:
            self._placements[name] = Placement(name, root, path)
        except ConfigError as error:
            self._refused[name] = str(error)

    def install_when_loaded(self) -> None:
        """
        Install the probe as soon as its module is loaded.

        Raises:
            ConfigError: If the module is loaded, but has no such function.
        """
        if self._place.is_pattern:
            covers = self._place.covers_module
            self._ends.append(when_any_loaded(covers, self._on_import))
            for module in list(sys.modules):
                if covers(module):
                    self._on_import(module)
            if any(map(covers, main_names())):
                when_any_defined(self._on_definitions)
            return
        self._install_if_loaded()
        for module, path in self._place.splits:
            missing = module not in sys.modules or is_loading(module)
            if not self._placements and missing:
                when_loaded(module, functools.partial(self._on_import, module))
            if not self._placements and is_main_file(module):
                first = path.partition(".")[0]
                when_defined(first, functools.partial(self._on_definition, path))
        # Another thread may have loaded it just now.
        self._install_if_loaded()

    def _on_import(self, module: str) -> None:
        try:
            self._install_if_loaded(module)
        except Exception as error:  # noqa: BLE001 - the host's import must not fail
            self._fail(error)

    def _on_definition(self, path: str) -> None:
        try:
            with self._lock:
                if not (self._placements or self._is_removed):
                    self.install(sys.modules["__main__"], path)
        except Exception as error:  # noqa: BLE001 - the host must go on
            self._fail(error)

    def _on_definitions(self) -> None:
        """Install the probe on what a pattern matches in the main file, so far."""
        name = next(filter(self._place.covers_module, main_names()), "")
        try:
            with self._lock:
                if name and not self._is_removed:
                    path = self._place.splits[0][1]
                    self.install(sys.modules["__main__"], path, name)
        except Exception as error:  # noqa: BLE001 - the host must go on
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        logger.warning("%s", error)
        explain(self.rule_names, str(error))
        self.remove()

    def _install_if_loaded(self, loaded: str = "") -> None:
        with self._lock:
            if self._is_removed:
                return
            if self._place.is_pattern:
                module = sys.modules.get(loaded)
                if module is not None:
                    self.install(module, self._place.splits[0][1], loaded)
            elif not self._placements:
                self._find_and_install(loaded)

    def _find_and_install(self, loaded: str) -> None:
        for name, path in self._place.splits:
            module = sys.modules.get(name)
            if module is None:
                continue
            if name != loaded and is_loading(name):
                return
            if name == "__main__" and not hasattr(module, path.partition(".")[0]):
                return
            if len(self._place.splits) == 1 or not is_submodule(module, path):
                self.install(module, path)
            return

    def as_facts(self) -> dict[str, object]:
        """Return how many functions were found, and what was not probed, and why."""
        why = next(iter(self._refused.items()), None)
        return {
            "found": len(self._placements),
            "refused": len(self._refused),
            "left_out": self._left_out,
            "why": "" if why is None else why[1],
        }

    def warn_if_absent(self) -> None:
        """Log if a function never appeared, or was replaced."""
        if self._placements and not self.is_in_place:
            logger.warning("%r: its calls were not seen from then on", self)
        elif not self._placements:
            logger.warning("%r: %s", self, _why_absent(self.name))
        if self._left_out:
            logger.warning(
                "%r: %d more functions match, and are not probed: narrow the pattern",
                self,
                self._left_out,
            )


def probe(target: Target, /, *, exclude: str | Iterable[str] = ()) -> Probe:
    """
    Save the arguments of a function's calls, and what they return or raise.

    The name is the target as given, with dots: `"mypkg.mod:Model.fit"` is
    `mypkg.mod.Model.fit`. While no rule is on for it, a function written in Python is
    what it is without the probe. Each saved call has the tag `call`, its number among
    the calls of this name in the process, which also applies to everything saved inside
    the call; in a process that another one started, there is a tag `process` too.

    The arguments are saved before the function runs, under its name, each by the name
    of its parameter, including defaults that are plain values; the header lists those
    as `defaults`. What it returns is saved below that name as `result`, with the value
    `result`; what it raises as `exception`, with the texts `type`, `message` and
    `traceback`. A value that cannot be saved is left out, and the value `not saved`
    says why. The arguments of a coroutine or generator are saved when it begins, its
    result at its end.

    Args:
        target: `"package.module:function"`, `"package.module:Class.method"`, the same
            with a dot, a function, or a tuple of a module or class and a name. A class
            stands for its methods, and a pattern for all public functions and methods
            that match: `"package.module:*"`, or `"package.*:*"` for a package and all
            below it. A module that is not loaded yet is not imported: its functions are
            probed as soon as the program imports it.
        exclude: Names, or patterns, of functions that a pattern is not to include.

    Returns:
        The probe. `remove()` removes it, and so does the end of the block in
        `with probe(...):`.

    Raises:
        ConfigError: If the target is invalid, its module is loaded but has no such
            function, or it is already probed.
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
    place, root = place_of(target)
    if (known := probes.get(place.name)) is not None:
        if known.is_pending_or_in_place:
            message = f"{place.name} is already probed: remove that probe first"
            raise ConfigError(message)
        known.remove()  # its module was reloaded
    created = Probe(place, [exclude] if isinstance(exclude, str) else exclude)
    if root is None:
        created.install_when_loaded()
    else:
        path = place.splits[0][1]
        created.install(root, path, place.name.removesuffix(f".{path}"))
    probes[place.name] = created
    explain(created.rule_names)
    is_first_process()  # decided here, before this process starts others
    at_exit(_report)
    return created


def _member(owner: Any, name: str) -> Any:
    return getattr(owner, name, None)


def explain(name: str, why: str = "") -> None:
    """Let a rule for the name of a probe say why there is no such function."""
    why_unknown[name] = lambda: f"probed no function: {why or _why_absent(name)}"


def _why_absent(name: str) -> str:
    """Return why the function of a probe never appeared."""
    parents = [name.rpartition(".")[0]]
    while parents[-1]:
        parents.append(parents[-1].rpartition(".")[0])
    # A script may have the name of the package that it starts.
    own = [it for it in parents if it == "__main__" or it not in sys.modules]
    if any(map(is_main_file, filter(None, own))):
        return "the main file of this program does not define it"
    if any(parent in sys.modules for parent in parents):
        return "its module was not imported, or its import failed"
    near = nearest(name, list(sys.modules))
    advice = f"; did you mean {near!r}?" if near else ""
    return f"no such module was imported, or its import failed{advice}"


def _report() -> None:
    if is_first_process():
        for each in list(probes.values()):
            each.warn_if_absent()


further_facts["probes"] = lambda: {
    it.rule_names: it.as_facts() for it in probes.values()
}
