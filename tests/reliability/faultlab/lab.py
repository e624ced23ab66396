"""The setup of the experiments: a process under test, and folders to save in."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import checkpoints
from faultlab.shim import Fault, at

HERE = Path(__file__).parents[1]
SOURCE = Path(checkpoints.__file__).parents[1]
FILE = "lab/x.ckpt.zip"
SECOND = "lab/x.2.ckpt.zip"

State = Mapping[str, int]


@dataclass(frozen=True)
class Save:
    """One call of `checkpoint`, and the options of its rule."""

    name: str = "lab.x"
    kind: str = "array"
    number: int = 2
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """One save: the files before and after it."""

    save: Save
    before: State
    after: State

    def __str__(self) -> str:
        options = " ".join(f"{key}={value}" for key, value in self.save.options.items())
        there = "over an old file" if self.before else "in a new folder"
        return f"{self.save.kind} {there} {options}"


def scenarios(kinds: Sequence[str], options: Mapping[str, Any]) -> list[Scenario]:
    """Return a save for each kind and `if_exists`, with and without an old file."""
    cases = [
        ("replace", {FILE: 1}, {FILE: 2}),
        ("keep", {FILE: 1}, {FILE: 1, SECOND: 2}),
        ("replace", {}, {FILE: 2}),
        ("skip", {}, {FILE: 2}),
        ("error", {}, {FILE: 2}),
    ]
    return [
        Scenario(Save(kind=kind, options={"if_exists": choice, **options}), old, new)
        for kind in kinds
        for choice, old, new in cases
    ]


class Lab:
    """
    A process that has the package under test, and a folder for what it saves.

    Args:
        folder: Where it saves.
        shim: The library that makes the faults.
        source: The folder that the package is imported from.
        kinds: The kinds of values that will be saved; fewer start faster.
    """

    def __init__(
        self,
        folder: Path,
        shim: Path,
        source: Path = SOURCE,
        kinds: Sequence[str] = ("array", "large array"),
    ) -> None:
        self.folder = folder
        # Calls that fail always, as on a file system that has no links.
        self.refused: list[str] = []
        self._counter = itertools.count()
        self._templates: dict[tuple[str, bool], Path] = {}
        environment = dict(
            os.environ,
            LD_PRELOAD=str(shim),
            PYTHONPATH=os.pathsep.join([str(source), str(HERE)]),
            PYTHONDONTWRITEBYTECODE="1",
            OMP_NUM_THREADS="1",
            OPENBLAS_NUM_THREADS="1",
        )
        folder.mkdir(parents=True, exist_ok=True)
        self.errors = folder / "stderr.txt"
        with self.errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "faultlab.process", *kinds],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                text=True,
            )
        self.about = self._ask("about")
        assert Path(self.about["package"]).is_relative_to(source), self.about

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, verb: str, **job: Any) -> dict[str, Any]:
        try:
            print(
                json.dumps({"verb": verb, **job}), file=self._process.stdin, flush=True
            )
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            tail = self.errors.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"the process under test is gone: {tail}")
        return json.loads(answer)

    def arena(self, scenario: Scenario | None = None) -> Path:
        """Return a folder with the files from before the save under `out`."""
        arena = self.folder / f"{next(self._counter)}"
        arena.mkdir()
        if scenario is not None and scenario.before:
            kind = scenario.save.kind
            if kind not in self._templates:
                template = self.folder / f"template of {kind}"
                self.run(template, [Save(kind=kind, number=1)])
                self._templates[kind] = template
            shutil.copytree(self._templates[kind] / "out", arena / "out")
        return arena

    def run(
        self,
        arena: Path,
        saves: Sequence[Save],
        fault: Fault = at("pass", 0),  # noqa: B008 - a tuple
        saver: str | None = None,
        *,
        host: bool = False,
        patience: float = 20,
    ) -> dict[str, Any]:
        """Save in a child of the process, with `on_error="raise"` unless given."""
        described = [
            {
                "name": save.name,
                "kind": save.kind,
                "number": save.number,
                "options": {"on_error": "raise", **save.options},
            }
            for save in saves
        ]
        return self._ask(
            "run",
            arena=str(arena),
            root=str(arena / "out"),
            saves=described,
            fault=fault,
            refused=self.refused,
            saver=saver,
            host=host,
            patience=patience,
        )

    def check(self, arena: Path, kind: str) -> dict[str, Any]:
        return self._ask("check", root=str(arena / "out"), kind=kind)

    def race(self, arena: Path, saver: str | None = None, **job: Any) -> dict[str, Any]:
        return self._ask(
            "race",
            arena=str(arena),
            root=str(arena / "out"),
            refused=self.refused,
            saver=saver,
            patience=300,
            **job,
        )


@dataclass
class Tally:
    """The number of cases, and those that broke the promise."""

    cases: int = 0
    breaches: list[str] = field(default_factory=list)

    def add(self, found: str, where: object) -> None:
        """Count a case; `found` says what broke the promise, or is empty."""
        self.cases += 1
        if found:
            self.breaches.append(f"{found} [{where}]")

    def __bool__(self) -> bool:
        """Be true even if empty, so that `tally or Tally()` keeps it."""
        return True


class Caught(Exception):
    """A harness has found the expected failure."""


@dataclass
class Trap(Tally):
    """A tally that stops at the first breach with a certain text."""

    sign: str = ""

    def add(self, found: str, where: object) -> None:
        super().add(found, where)
        if self.sign in found and found:
            raise Caught(self.breaches[-1])
