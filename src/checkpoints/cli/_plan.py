"""The rules that a program runs under, and the environment that holds them."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import click

from checkpoints import FileHandler, Rule, runs
from checkpoints._environment import read_settings
from checkpoints._handlers.run_record import record_end_of
from checkpoints._index.place import several_named
from checkpoints._process.origin import current_run, host_name
from checkpoints._process.variables import (
    CONFIG,
    FIRST_PROCESS,
    NAME,
    PROBES,
    RECORD,
    REPORT,
    RULES,
    RUN,
    RUN_PROCESS,
    TO,
)
from checkpoints._rules.settings import Setting, probed_names
from checkpoints._text import is_remote, shown
from checkpoints.cli._declarations import is_compiled, module_at
from checkpoints.errors import CheckpointError, ConfigError
from checkpoints.storage import open_store

__all__ = ["Plan", "Settings", "all_probes", "checked_name", "compiled_modules"]

_PATH = "PYTHONPATH"
# Python imports the sitecustomize module of this folder at startup.
_START = os.path.join(os.path.dirname(__file__), "_start")
# Stands for a field that each process fills in itself; no path contains it.
_ANY = "\0"
_NAME = re.compile(r"\w[\w.+-]*")
_FIELD = re.compile(r"\{(?:run|time|host|pid)\}")


class Settings:
    """
    The rules of the command line, the environment and a file.

    Args:
        rules: The rules of the command line, in the short form.
        config: A file of rules; by default that of the environment.
        default: The target of rules that have none.

    Raises:
        ConfigError: If a rule is invalid.
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

    @property
    def probes(self) -> list[str]:
        """The targets of the probes that the file asks for."""
        return [probe for setting in self.of_file for probe in setting.probes]

    def __iter__(self) -> Iterator[Setting]:
        """Iterate over the rules; the last one that covers a name applies."""
        return iter([*self.of_file, *self.above])

    def covering(self, name: str) -> Setting | None:
        """Return the rule that applies to a name; tags are not considered."""
        found = None
        for setting in self:
            if Rule(setting.names, None).covers(name):
                found = setting
        return found


class Plan:
    """
    The rules, probes and recorder that a program runs with.

    Args:
        settings: The rules.
        to: The target of probes and the recorder, unless a rule names another.
        probes: Functions to probe, `module:function`.
        record: How much to keep in memory until something fails.
        name: A name for the run.

    Raises:
        ConfigError: If the target, a probe or the recorder is invalid.
        MissingDependencyError: If there are probes, and the library they need is not
            installed.
        OSError: If a target cannot be written.

    Attributes:
        has_rules: Whether there is any rule.
        has_recorder: Whether saves are kept in memory until something goes wrong.
        sources: Where each rule was written, by the source that the program sees.
    """

    def __init__(
        self,
        settings: Settings,
        to: str,
        probes: Sequence[str],
        record: str | None,
        name: str | None = None,
    ) -> None:
        for probe in probes:
            _check_module(probe)
        read_settings(probes=probes, record=record)
        self._environment = dict(os.environ)
        self._name = name or ""
        above = list(settings.above)
        for probe in probes:
            probed = probed_names(probe)
            if probed and settings.covering(probed) is None:
                above += _for_all(probed, to, f"--probe {probe}")
        if record and not (above or settings.of_file):
            above += _for_all("*", to, f"--record {record}")
        targets = [setting.target for setting in (*settings.of_file, *above)]
        self.has_rules = bool(targets)
        self.has_recorder = bool(record)
        handlers = [FileHandler(target) for target in dict.fromkeys(targets) if target]
        self._roots = {it.root: (it.mode, it.store_options) for it in handlers}
        text = "; ".join(setting.text for setting in above)
        self.sources = {
            passed.source: written.source
            for passed, written in zip(read_settings(text), above, strict=True)
        }
        if self.has_rules:
            self._set(RULES, text)
            self._set(CONFIG, settings.config and os.path.abspath(settings.config))
            self._set(PROBES, ";".join(probes))
            self._set(RECORD, record)
            self._set(TO, _for_all("*", to, "--to")[0].target)
            self._set(RUN, current_run())
            self._set(RUN_PROCESS, f"{host_name()} {os.getpid()} {current_run()}")
            self._set(NAME, name)
            # Only the program itself: if it is a shell, the processes that it starts
            # would number their calls alike.
            self._set(FIRST_PROCESS, f"child of {os.getpid()}")
        if probes or record:
            path = self._environment.get(_PATH)
            self._set(_PATH, os.pathsep.join([_START, *([path] if path else [])]))
        rules = (*settings.of_file, *above)
        spills = {it.target for it in rules if "spill" in it.options}
        for root in self._roots:
            if root not in spills:
                _check_writable(root)

    def _set(self, variable: str, value: str | None) -> None:
        if value:
            self._environment[variable] = value

    def environment(self, reports: str) -> dict[str, str]:
        """Return the environment, with a folder for the reports of processes."""
        if not self.has_rules:
            return self._environment
        return {**self._environment, REPORT: reports}

    def record_exit(self, code: int, others: Mapping[str, int] = {}) -> None:
        """
        Add the exit code of the program to the records of its run.

        Args:
            code: The exit code.
            others: The folders that have the records, with the mode of their files; by
                default those of the rules from outside.
        """
        own = {
            root.replace("{", "{{").replace("}", "}}"): (mode, None)
            for root, mode in others.items()
        }
        record_end_of(own or self._roots, f"exit code {code}" if code else "")

    def about_name(self) -> str:
        """Return what to say of other runs with the name of this one; or nothing."""
        for root in self._roots if self._name else ():
            above, *rest = _FIELD.split(root, maxsplit=1)
            place = os.path.dirname(above) if rest else above
            with contextlib.suppress(CheckpointError, OSError):
                known = runs(place.replace("{{", "{").replace("}}", "}"))
                if any(run.id == current_run() for run in known):
                    return several_named(known, self._name)
        return ""

    def patterns(self) -> list[str]:
        """Return the roots as globs that match what each process fills in."""
        filled = [
            root.format(run=self._environment[RUN], time=_ANY, host=_ANY, pid=_ANY)
            for root in self._roots
        ]
        return [
            (root if is_remote(root) else glob.escape(root)).replace(_ANY, "*")
            for root in filled
        ]


def all_probes(targets: Iterable[str]) -> list[str]:
    """Return the targets of all probes without duplicates, the environment's first."""
    of_environment = os.environ.get(PROBES, "").split(";")
    known = filter(None, map(str.strip, of_environment))
    return [*dict.fromkeys([*known, *map(str.strip, targets)])]


def compiled_modules(targets: Iterable[str]) -> list[str]:
    """Return the modules of probes that are not written in Python when they run."""
    modules = dict.fromkeys(target.partition(":")[0] for target in targets)
    return [it for it in modules if not set(it) & set("*?[!") and is_compiled(it)]


def checked_name(
    _: click.Context, parameter: click.Parameter, name: str | None
) -> str | None:
    """
    Return the name of a run, which must fit behind the `@` of ROOT@RUN.

    Raises:
        click.BadParameter: If it does not.
    """
    if name and (not _NAME.fullmatch(name) or name == "last"):
        raise click.BadParameter(
            f"{name!r} is not a name for a run; use letters, digits and . _ - +, such "
            "as before-upgrade, and not `last`",
            param=parameter,
        )
    return name


def _check_module(probe: str) -> None:
    """Raise an error if a probe names a file in place of a module."""
    excluded = "!" if probe.startswith("!") else ""
    file, _, path = probe.removeprefix("!").partition(":")
    if path and file.endswith(".py") and os.path.isfile(file):
        meant = f"{excluded}{module_at(file)}:{path}"
        raise ConfigError(
            f"cannot probe {shown(probe)}: {shown(file)} is a file, and a module is "
            f"needed; did you mean {shown(meant)}?"
        )


def _for_all(names: str, to: str, source: str) -> list[Setting]:
    read = read_settings(names, source=source, default=to)
    return [setting._replace(source=source) for setting in read]


def _check_writable(root: str) -> None:
    """Raise `OSError` if files cannot be created under a root."""
    folder = root.replace("{{", "{").replace("}}", "}").partition("{run}")[0]
    if is_remote(root):
        _check_reachable(re.split(r"[{]", folder)[0].rpartition("/")[0])
        return
    while not os.path.lexists(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder):
        message = f"cannot save to {root}: {folder} is not a folder"
        raise NotADirectoryError(message)
    if not os.access(folder, os.W_OK | os.X_OK):
        message = f"cannot save to {root}: {folder} is not writable"
        raise PermissionError(message)


def _check_reachable(root: str) -> None:
    """Raise `OSError` if there is no such server or bucket, or no way into it."""
    try:
        open_store(root).check_root()
    except FileNotFoundError as error:
        # The first save makes it, but for a bucket.
        if error.errno != errno.ENOENT:
            raise
    except PermissionError as error:
        # Who may not list may still save, but not with wrong credentials.
        if error.errno == errno.EPERM:
            raise
