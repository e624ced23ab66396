"""The table of rooms in ARCHITECTURE.md, kept true."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

import checkpoints

ARCHITECTURE = Path(__file__).parents[1] / "ARCHITECTURE.md"
PACKAGE = Path(checkpoints.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

HEADING = ["floor", "stair", "room", "is for", "works with", "never with"]
WRITING, READING, GROUND, ROOF = "writing", "reading", "ground", "roof"
# What the roof may import besides public names.
OPEN_TO_THE_ROOF = ("checkpoints._text", "checkpoints._show.", "checkpoints._process.")
OPEN_TO_THE_ROOF += ("checkpoints._keys.condition", "checkpoints._keys.key")
OPEN_TO_THE_ROOF += ("checkpoints._keys.spelling", "checkpoints._rules.settings")
OPEN_TO_THE_ROOF += ("checkpoints._environment", "checkpoints._index.runs")
OPEN_TO_THE_ROOF += ("checkpoints._index.lost",)
OPEN_TO_THE_ROOF += ("checkpoints._index.place",)
OPEN_TO_THE_ROOF += ("checkpoints._files.run_record", "checkpoints._replay.elsewhere")
OPEN_TO_THE_ROOF += ("checkpoints._handlers.run_record", "checkpoints.storage._folder")
OPEN_TO_THE_ROOF += ("checkpoints.storage._store", "checkpoints._replay.bisection")
OPEN_TO_THE_ROOF += ("checkpoints._keys.julia_path", "checkpoints.storage._copier")
OPEN_TO_THE_ROOF += ("checkpoints._handlers.delivery",)
OPEN_TO_THE_ROOF += ("checkpoints._handlers.contents", "checkpoints._handlers.options")
# What these rooms know of where files lie goes through a store.
OF_FILES = {"_files", "_handlers", "_index"}
CONTRACT = {"checkpoints.storage._store", "checkpoints.storage._stores"}
CONTRACT |= {"checkpoints.storage._copier"}
# What has nothing to do with where files lie: paths as users give them, the process,
# the machine.
NO_PLACE = {"PathLike", "fspath", "curdir", "pardir"}
NO_PLACE |= {"getpid", "kill", "register_at_fork"}
NO_PLACE |= {"cpu_count", "sysconf", "urandom"}
BAGS = {"utils", "util", "base", "common", "core", "helpers", "helper", "misc"}


class Place(NamedTuple):
    floor: int
    stair: str


class Step(NamedTuple):
    """An import between two places of the table."""

    text: str
    start: Place
    goal: Place


class Import(NamedTuple):
    """An import of one of our own files, as written in the code."""

    file: Path
    line: int
    target: str

    def __str__(self):
        return f"{shown(self.file)}:{self.line} imports {self.target}"

    @property
    def source(self) -> str:
        return room_of(self.file)

    @property
    def goal(self) -> str:
        return room_of(OURS[self.target])

    def leaves_its_room(self) -> bool:
        return self.source != self.goal


def shown(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def read_floors(text: str) -> dict[str, Place]:
    """Read the place of every room from the table."""
    lines = iter(text.splitlines())
    assert any(cells(line) == HEADING for line in lines), "the table is not there"
    next(lines)
    places: dict[str, Place] = {}
    for line in lines:
        if not line.startswith("|"):
            break
        floor, stair, room, purpose, knows, _ = cells(line)
        name = room.strip("`")
        assert name not in places, f"{name} stands in the table twice"
        assert purpose, f"{name} is for nothing"
        assert knows, f"what {name} works with is not said"
        places[name] = Place(int(floor), stair)
    return places


def room_of(file: Path) -> str:
    """The name in the table: a file's, or that of the folder it is in."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def dotted(file: Path) -> str:
    """The name under which Python imports the file."""
    parts = (PACKAGE.name, *file.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


OURS = {dotted(file): file for file in FILES}


def modules_of(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""]


def own_targets(node: ast.AST) -> Iterator[str]:
    """The files of this package that an import statement reaches."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        # A relative import says nothing of where it goes; it is ours in any case.
        module = "." * node.level + (node.module or "")
        names = [f"{module}.{alias.name}" for alias in node.names]
        names = [name if name in OURS else module for name in names]
    else:
        return
    for name in names:
        if name.startswith(".") or name.partition(".")[0] == PACKAGE.name:
            yield name


def imports_in(tree: ast.AST, file: Path) -> list[Import]:
    return [
        Import(file, node.lineno, target)
        for node in ast.walk(tree)
        for target in own_targets(node)
    ]


TREES = {file: ast.parse(file.read_bytes()) for file in FILES}
IMPORTS = [found for file in FILES for found in imports_in(TREES[file], file)]
CLEAR = [found for found in IMPORTS if found.target in OURS]
BETWEEN = [found for found in CLEAR if found.leaves_its_room()]
WITHIN = [found for found in CLEAR if not found.leaves_its_room()]


@pytest.fixture(scope="module")
def floors() -> dict[str, Place]:
    return read_floors(ARCHITECTURE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def steps(floors) -> list[Step]:
    """The imports between rooms listed in the table."""
    return [
        Step(str(found), floors[found.source], floors[found.goal])
        for found in BETWEEN
        if {found.source, found.goal} <= set(floors)
    ]


class TestTable:
    def test_every_file_has_its_place(self, floors):
        assert {room_of(file) for file in FILES} - set(floors) == set()

    def test_it_names_no_file_that_is_not_there(self, floors):
        assert set(floors) - {room_of(file) for file in FILES} == set()

    def test_both_stairs_the_ground_and_the_roof_are_read(self, floors):
        stairs = {place.stair for place in floors.values()}
        assert stairs == {WRITING, READING, GROUND, ROOF}

    def test_the_picture_shows_every_room_that_is_not_a_mere_door(self, floors):
        text = ARCHITECTURE.read_text(encoding="utf-8")
        picture = text.split("```text\n")[1].split("```")[0]
        drawn = set(re.findall(r"(?:^|  )(\w+)(?=  |$)", picture, re.MULTILINE))
        assert set(floors) - drawn == {"__main__"}


class TestRooms:
    def test_each_folder_says_in_one_sentence_what_it_is_for(self):
        doors = [file for file in FILES if file.name == "__init__.py"]
        rooms = [file for file in doors if len(file.relative_to(PACKAGE).parts) == 2]
        private = [file for file in rooms if room_of(file).startswith("_")]
        for file in private:
            (sentence,) = TREES[file].body
            assert isinstance(sentence, ast.Expr), shown(file)
            assert ast.get_docstring(TREES[file]).count(".") == 1, shown(file)
        assert len(private) >= 8

    def test_their_number_can_be_kept_in_mind(self):
        seen = {room_of(file) for file in FILES}
        rooms = seen - {"__init__", "__main__", "errors", "_text"}
        assert len(rooms) <= 17


class TestImports:
    def test_each_names_a_file_in_full(self):
        unclear = [str(found) for found in IMPORTS if found not in CLEAR]
        assert unclear == []

    def test_each_goes_to_a_lower_floor(self, steps):
        climbing = [step.text for step in steps if step.goal.floor >= step.start.floor]
        assert steps
        assert climbing == []

    def test_the_stairs_never_meet(self, steps):
        crossing = [
            step.text
            for step in steps
            if {step.start.stair, step.goal.stair} == {WRITING, READING}
            or (step.start.stair == WRITING and "_show" in step.text.split()[-1])
        ]
        assert crossing == []

    def test_the_roof_stands_on_public_names_and_what_is_open_to_it(self, floors):
        top = floors["__init__"].floor
        roof = {module for module, place in floors.items() if place.floor > top}
        private = [
            str(found)
            for found in BETWEEN
            if found.source in roof
            and any(part.startswith("_") for part in found.target.split("."))
            and not found.target.startswith(OPEN_TO_THE_ROOF)
        ]
        hidden = [
            f"{shown(file)}:{node.lineno} imports {alias.name}"
            for file, tree in TREES.items()
            if room_of(file) in roof
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == PACKAGE.name
            for alias in node.names
            if alias.name.startswith("_") and alias.name != "_show"
        ]
        hidden += [
            f"{shown(file)}:{node.lineno} takes {node.attr}"
            for file, tree in TREES.items()
            if room_of(file) in roof
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == PACKAGE.name
            and re.match("_[^_]", node.attr)
        ]
        assert roof
        assert private + hidden == []

    def test_nothing_below_the_roof_knows_of_it(self, floors):
        top = floors["__init__"].floor
        assert [
            str(found)
            for found in BETWEEN
            if floors[found.source].floor <= top < floors[found.goal].floor
        ] == []

    def test_none_hides_in_a_function(self):
        hidden = [
            str(found)
            for file, tree in TREES.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for found in imports_in(node, file)
        ]
        assert hidden == []

    def test_other_libraries_are_imported_without_a_statement(self):
        """
        The function `imported` makes forks wait; an import statement does not.

        `_kinds` and `_show` get values whose library is loaded already, and pytest
        loads its plugins itself, as it does tests.
        """
        ours = {PACKAGE.name, *sys.stdlib_module_names}
        statements = [
            f"{shown(file)}:{node.lineno} imports {name}"
            for file, tree in TREES.items()
            if room_of(file)
            not in {"_kinds", "_show", "cli", "pytest_plugin", "testing"}
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in modules_of(node)
            if name.partition(".")[0] not in ours
        ]
        assert statements == []

    def test_the_files_of_a_folder_go_in_no_circle(self):
        graph: dict[str, set[str]] = {}
        for found in WITHIN:
            graph.setdefault(dotted(found.file), set()).add(found.target)
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            pytest.fail(f"a circle: {' <- '.join(error.args[1])}")


def places_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """What in a file asks the system where something lies, or opens it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "os" and node.attr not in NO_PLACE:
                yield node.lineno, f"os.{node.attr}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "open":
                yield node.lineno, "open"
        elif isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
            if found := names & {"os.path", "ntpath", "pathlib", "shutil", "glob"}:
                yield node.lineno, str(found)
        elif isinstance(node, ast.ImportFrom) and node.module in {"os", "pathlib"}:
            yield node.lineno, f"from {node.module}"


class TestStores:
    def test_where_files_are_saved_and_read_the_system_is_not_asked_for_a_place(self):
        asked = [
            f"{shown(file)}:{line} asks {what}"
            for file, tree in TREES.items()
            if room_of(file) in OF_FILES
            for line, what in places_in(tree)
        ]
        assert asked == []

    def test_of_storage_the_private_rooms_know_the_contract_alone(self):
        imported = [
            found
            for found in BETWEEN
            if found.goal == "storage" and re.match("_[^_]", found.source)
        ]
        assert len(imported) > 5
        assert [str(it) for it in imported if it.target not in CONTRACT] == []

    @pytest.mark.parametrize(
        "line",
        [
            *("os.path.join(a)", "os.stat(a)", "os.sep", "open(a)", "import os.path"),
            *("from os import path", "from pathlib import Path", "os.scandir(a)"),
        ],
    )
    def test_what_asks_for_a_place_is_seen(self, line):
        assert len(list(places_in(ast.parse(line)))) == 1


class TestFiles:
    def test_none_is_longer_than_400_lines(self):
        long = {
            shown(file): lines
            for file in FILES
            if (lines := len(file.read_bytes().splitlines())) > 400
        }
        assert long == {}

    def test_none_has_the_name_of_a_bag(self):
        parts = {
            part.removesuffix(".py").strip("_")
            for file in FILES
            for part in file.relative_to(PACKAGE).parts
        }
        assert parts & BAGS == set()
