"""A transform by name: an entry point of an installed package."""

from __future__ import annotations

import sys

import pytest

from checkpoints import ConfigError, DictHandler, checkpoint, config
from checkpoints._rules.narrowing import transform_for

MODULE = """
def redacted(values):
    return dict.fromkeys(values, "redacted")

nothing = 3
"""
ENTRY_POINTS = """[checkpoints.transforms]
mypkg.redact = mypkg_of_transforms:redacted
mypkg.nothing = mypkg_of_transforms:nothing
mypkg.missing = mypkg_of_transforms:missing
mypkg.gone = mypkg_that_is_not_there:redacted
twice = mypkg_of_transforms:redacted
[other.group]
other = mypkg_of_transforms:redacted
"""


def install(folder, entry_points):
    """Register an entry point as an installer would."""
    distribution = folder.name
    about = folder / f"{distribution}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
    )
    (about / "entry_points.txt").write_text(entry_points)


async def awaited(values):
    return values


@pytest.fixture
def installed(tmp_path, monkeypatch):
    folder = tmp_path / "mypkg"
    install(folder, ENTRY_POINTS)
    (folder / "mypkg_of_transforms.py").write_text(MODULE)
    monkeypatch.syspath_prepend(folder)
    yield folder
    sys.modules.pop("mypkg_of_transforms", None)


@pytest.mark.usefixtures("installed")
class TestEntryPoints:
    def test_one_is_found_by_its_name(self):
        handler = DictHandler()
        config("transformed", handler, transform="mypkg.redact")
        checkpoint("transformed", user="Ada")
        assert handler["transformed"] == {"user": "redacted"}

    def test_it_is_loaded_when_the_rule_is_made(self):
        assert "mypkg_of_transforms" not in sys.modules
        config("transformed", DictHandler(), transform="mypkg.redact")
        assert "mypkg_of_transforms" in sys.modules

    def test_a_rule_shows_the_name(self):
        rule = config("transformed", DictHandler(), transform="mypkg.redact")
        assert "transform='mypkg.redact'" in repr(rule)

    @pytest.mark.parametrize("name", ["mypkg.redacted", "other", "", "a b:c"])
    def test_one_that_is_not_known_is_an_error_with_those_that_are(self, name):
        with pytest.raises(ConfigError) as caught:
            config("transformed", DictHandler(), transform=name)
        assert f"transform={name!r} is not installed" in str(caught.value)
        hint = "did you mean 'mypkg.redact'?"
        if name != "mypkg.redacted":
            hint = "there are 'mypkg.gone', 'mypkg.missing', 'mypkg.nothing'"
        assert hint in str(caught.value)
        assert "'other'," not in str(caught.value)

    @pytest.mark.parametrize("name", ["mypkg.gone", "mypkg.missing"])
    def test_one_that_cannot_be_loaded_is_an_error(self, name):
        with pytest.raises(
            ConfigError, match=r"^cannot load transform='mypkg"
        ) as caught:
            config("transformed", DictHandler(), transform=name)
        assert isinstance(caught.value.__cause__, (ImportError, AttributeError))

    def test_a_function_is_found_by_its_place_without_one(self):
        handler = DictHandler()
        place = "mypkg_of_transforms:redacted"
        rule = config("transformed", handler, transform=place)
        checkpoint("transformed", user="Ada")
        assert handler["transformed"] == {"user": "redacted"}
        assert f"transform={place!r}" in repr(rule)

    @pytest.mark.parametrize("place", ["no_such_module:f", "mypkg_of_transforms:no"])
    def test_a_place_without_a_function_is_an_error(self, place):
        with pytest.raises(ConfigError, match=r"^cannot load transform="):
            config("transformed", DictHandler(), transform=place)

    def test_one_that_is_no_function_is_an_error(self):
        with pytest.raises(ConfigError, match="is not a function"):
            config("transformed", DictHandler(), transform="mypkg.nothing")

    def test_one_that_two_packages_have_is_an_error(self, tmp_path, monkeypatch):
        rival = "[checkpoints.transforms]\ntwice = other:redacted\n"
        install(tmp_path / "rival", rival)
        monkeypatch.syspath_prepend(tmp_path / "rival")
        with pytest.raises(
            ConfigError, match=r"'twice' is ambiguous: .*other:redacted"
        ):
            transform_for("twice")


class TestTransform:
    @pytest.mark.parametrize("given", [3, dict, ["f"], b"f", awaited])
    def test_what_is_neither_function_nor_name_is_an_error(self, given):
        with pytest.raises(
            ConfigError, match=r"^invalid transform=.*expected a function f\(values\)"
        ):
            transform_for(given)

    def test_a_dict_of_another_class_becomes_a_plain_one(self):
        class Special(dict):
            pass

        found = transform_for(Special.fromkeys)({"a": 1})
        assert type(found) is dict
        assert found == {"a": None}
