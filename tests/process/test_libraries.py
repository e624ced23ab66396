"""Libraries that are imported when something needs them."""

from __future__ import annotations

import json

import pytest

from checkpoints import MissingDependencyError
from checkpoints._process.libraries import imported, needed


class TestNeeded:
    def test_what_is_there_is_returned(self):
        assert needed("json", "a test") is json

    def test_what_is_missing_is_named_with_the_way_to_install_it(self):
        with pytest.raises(MissingDependencyError) as told:
            needed("no_such_library.part", "a table", also="pyarrow")
        expected = "a table needs no_such_library pyarrow: "
        assert str(told.value) == expected + "pip install no_such_library pyarrow"

    def test_the_error_is_an_import_error_too(self):
        with pytest.raises(ImportError):
            needed("no_such_library", "a test")

    def test_a_distribution_of_another_name_is_called_by_it(self, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "PIL", None)
        with pytest.raises(MissingDependencyError, match="pip install pillow"):
            needed("PIL", "a picture")


class TestImported:
    def test_what_cannot_be_imported_is_an_import_error(self):
        with pytest.raises(ModuleNotFoundError):
            imported("no_such_library")
