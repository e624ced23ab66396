"""What a program is started with: its environment, made of all the rules there are."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence

from checkpoints import FileHandler, Rule
from checkpoints._environment import read_settings
from checkpoints._process.origin import current_run
from checkpoints._process.variables import (
    CONFIG,
    FIRST_PROCESS,
    PROBES,
    RECORD,
    REPORT,
    RULES,
    RUN,
    TO,
)
from checkpoints._rules.settings import Setting

__all__ = ["DEFAULT_ROOT", "Plan", "Settings", "probes_asked_for"]

# Where rules without a target save to.
DEFAULT_ROOT = os.path.join(".checkpoints", "{run}")
_PATH = "PYTHONPATH"
# What stands there is loaded by every Python as it starts.
_START = os.path.join(os.path.dirname(__file__), "_start")
# Stands for what each process fills in by itself; no path can hold it.
_ANY = "\0"


class Settings:
    """
    The rules of the command line, the environment and a file, in their order.

    Args:
        rules: Those of the command line, in the short form.
        config: A file of rules; that of the environment unless given.
        default: Where rules without a target save to.

    Raises:
        ConfigError: If a rule cannot be read.
    """

    def __init__(self, rules: Iterable[str], config: str | None, default: str) -> None:
        self.config = config or os.environ.get(CONFIG)
        read = read_settings
        text = "\n".join(rules)
        self.above: list[Setting] = [
            *read(os.environ.get(RULES, ""), source=RULES, default=default),
            *read(text, source="command line", default=default),
        ]
        of_file = read(config=self.config, default=default) if self.config else []
        self.of_file: list[Setting] = of_file

    def __iter__(self) -> Iterator[Setting]:
        """The last one that covers a name counts."""
        return iter([*self.of_file, *self.above])

    def covering(self, name: str) -> Setting | None:
        """Return the rule that a name falls to, as far as that hangs on the name."""
        found = None
        for setting in self:
            if Rule(setting.names, None).covers(name):
                found = setting
        return found


class Plan:
    """
    What a program is started with.

    Args:
        settings: The rules.
        to: Where probes and the recorder save to, if no rule says otherwise.
        probes: Functions to look into, `module:function`.
        record: How much to keep in memory until something fails.

    Raises:
        ConfigError: If the root, a probe or the recorder cannot be.
        MissingDependencyError: If there are probes, and what they need is not there.
        OSError: If nothing can be saved where it is to be.

    Attributes:
        asks: Whether anything is asked for at all.
        records: Whether saves are kept in memory until something goes wrong.
        written: Where each rule was written, by where the program finds it.
    """

    def __init__(
        self, settings: Settings, to: str, probes: Sequence[str], record: str | None
    ) -> None:
        read_settings(probes=probes, record=record)
        self._environment = dict(os.environ)
        above = list(settings.above)
        for probe in probes:
            name = probe.replace(":", ".")
            if settings.covering(name) is None:
                above += _for_all(name, to, f"--probe {probe}")
        if record and not (above or settings.of_file):
            above += _for_all("*", to, f"--record {record}")
        targets = [it.target for it in (*settings.of_file, *above)]
        self.asks = bool(targets)
        self.records = bool(record)
        handlers = [FileHandler(it) for it in dict.fromkeys(targets) if it]
        self._roots = [handler.root for handler in handlers]
        text = "; ".join(setting.text for setting in above)
        self.written = {
            there.source: here.source
            for there, here in zip(read_settings(text), above, strict=True)
        }
        if self.asks:
            self._set(RULES, text)
            self._set(CONFIG, settings.config and os.path.abspath(settings.config))
            self._set(PROBES, ";".join(probes))
            self._set(RECORD, record)
            self._set(TO, _for_all("*", to, "--to")[0].target)
            self._set(RUN, current_run())
            # Not what a shell starts, whose calls would have the numbers of each other.
            self._set(FIRST_PROCESS, f"child of {os.getpid()}")
        if probes or record:
            known = self._environment.get(_PATH)
            self._set(_PATH, os.pathsep.join([_START, *([known] if known else [])]))
        for root in self._roots:
            _check_writable(root)

    def _set(self, variable: str, value: str | None) -> None:
        if value:
            self._environment[variable] = value

    def environment(self, reports: str) -> dict[str, str]:
        """Return the environment, with a folder for what processes report."""
        if not self.asks:
            return self._environment
        return {**self._environment, REPORT: reports}

    def patterns(self) -> list[str]:
        """Return the roots as globs, open where each process fills in its own."""
        filled = [
            root.format(run=self._environment[RUN], time=_ANY, host=_ANY, pid=_ANY)
            for root in self._roots
        ]
        return [glob.escape(root).replace(_ANY, "*") for root in filled]


def probes_asked_for(targets: Iterable[str]) -> list[str]:
    """Return the targets of probes, those of the environment first, each once."""
    known = filter(None, map(str.strip, os.environ.get(PROBES, "").split(";")))
    return [*dict.fromkeys([*known, *map(str.strip, targets)])]


def _for_all(names: str, to: str, source: str) -> list[Setting]:
    read = read_settings(names, source=source, default=to)
    return [setting._replace(source=source) for setting in read]


def _check_writable(root: str) -> None:
    """Raise `OSError` if files cannot be made below a root."""
    folder = root.replace("{{", "{").replace("}}", "}").partition("{run}")[0]
    while not os.path.lexists(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder):
        message = f"nothing can be saved to {root}: {folder} is no folder"
        raise NotADirectoryError(message)
    if not os.access(folder, os.W_OK | os.X_OK):
        message = f"nothing can be saved to {root}: {folder} may not be written"
        raise PermissionError(message)
