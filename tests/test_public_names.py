"""The catalogue: the names that users may rely on."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import checkpoints

PUBLIC_NAMES = {
    # Declare
    "register",
    "deprecate",
    "available",
    "enabled",
    "deprecated",
    "diff",
    "replay",
    "Replay",
    "is_enabled",
    # Save
    "checkpoint",
    "point",
    "Point",
    # Look into functions
    "probe",
    "Probe",
    "probed",
    # Tag
    "tags",
    "current_tags",
    "with_checkpoint_tags",
    "carry",
    "Carried",
    # Configure
    "config",
    "rules",
    "reset",
    "Rule",
    # See to what was saved
    "flush",
    "stats",
    "Stats",
    # Stage and commit
    "Session",
    # Handlers
    "Handler",
    "ExecutorError",
    "FileHandler",
    "DictHandler",
    "Diff",
    "Recorder",
    "capture",
    # Read
    "index",
    "Index",
    "Entry",
    "load",
    "runs",
    "Run",
    "verify",
    "Verification",
    "Key",
    "Tags",
    "Record",
    "Pickled",
    # Extend
    "register_format",
    # Errors
    "AlreadyStoredError",
    "CheckpointError",
    "ConfigError",
    "CorruptFileError",
    "FormatError",
    "MissingDependencyError",
    "PendingError",
    "ReplayError",
    "UnknownOutcomeError",
    "TooLargeError",
    "UnknownValueError",
    "UntrustedError",
}

PUBLIC_MODULES = {"errors", "storage"}
# It is there once it was imported, by whoever wants it.
ROOF = {"cli", "pytest_plugin", "testing", "workers"}


def public_attributes() -> dict[str, object]:
    """The names without underscore that the package shows."""
    return {
        name: getattr(checkpoints, name)
        for name in dir(checkpoints)
        if not name.startswith(("_", "@"))  # which pytest adds to rewrite asserts
    }


class TestCatalogue:
    def test_it_is_the_list_that_was_agreed_on(self):
        assert set(checkpoints.__all__) == PUBLIC_NAMES

    def test_it_is_sorted_and_names_nothing_twice(self):
        assert list(checkpoints.__all__) == sorted(set(checkpoints.__all__))

    def test_it_names_all_that_can_be_seen_but_for_modules(self):
        seen = {
            name
            for name, value in public_attributes().items()
            if not isinstance(value, ModuleType)
        }
        assert seen == set(checkpoints.__all__)

    def test_what_is_not_there_is_told_as_of_any_module(self):
        with pytest.raises(AttributeError, match="'checkpoints' has no attribute 'x'"):
            checkpoints.x

    def test_each_is_what_the_type_checkers_take_it_for(self):
        """Late-loaded names appear twice: for type checkers, and at run time."""
        tree = ast.parse(Path(checkpoints.__file__).read_bytes())
        places = {
            alias.asname or alias.name: (node.module, alias.name)
            for block in tree.body
            if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
            for node in block.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        assert places.keys() == checkpoints._LATER.keys()
        for name, (module, attribute) in places.items():
            loaded = import_module(module)
            assert getattr(loaded, attribute) is getattr(checkpoints, name)

    def test_two_of_its_modules_are_public(self):
        seen = {
            name
            for name, value in public_attributes().items()
            if isinstance(value, ModuleType)
        }
        assert seen - ROOF == PUBLIC_MODULES

    def test_every_error_has_its_place_in_the_catalogue(self):
        errors = checkpoints.errors.__all__
        assert set(errors) <= set(checkpoints.__all__)

    def test_every_name_says_what_it_is_for(self):
        silent = [
            name
            for name in checkpoints.__all__
            if not (inspect.getdoc(getattr(checkpoints, name)) or "").strip()
        ]
        assert silent == []

    def test_no_docstring_is_one_that_a_dataclass_made_up(self):
        made_up = [
            name
            for name in checkpoints.__all__
            if (getattr(checkpoints, name).__doc__ or "").startswith(f"{name}(")
        ]
        assert made_up == []


def test_a_name_of_checkpoints_jl_says_what_it_is_called_here():
    with pytest.raises(AttributeError, match="format='jlso'"):
        getattr(checkpoints, "JLSOHandler")  # noqa: B009 - type checkers know no such name


def test_a_name_that_people_try_first_says_what_it_is_called_here():
    with pytest.raises(AttributeError, match=r"use checkpoint\(name, ...\)"):
        getattr(checkpoints, "save")  # noqa: B009 - type checkers know no such name
