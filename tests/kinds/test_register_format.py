"""Custom formats: saved and loaded like any other kind, without trust."""

from __future__ import annotations

import array
import datetime
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

import checkpoints
from checkpoints import ConfigError, FileHandler, Session, config, load, register_format
from checkpoints._kinds.encoder import encode
from checkpoints._kinds.frozen import freeze
from checkpoints.errors import FormatError

SOURCES = str(Path(checkpoints.__file__).parents[1])

LOAD = """
import sys
sys.path.insert(0, sys.argv[1])
import checkpoints
try:
    checkpoints.load(sys.argv[2])
except checkpoints.FormatError as error:
    print(error)
"""


@pytest.fixture
def made():
    """A class without a format, and a name for its kind."""

    class Model:
        def __init__(self, text):
            self.text = text

        def __eq__(self, other):
            return type(other) is type(self) and other.text == self.text

        __hash__ = None

    return Model, f"tests.Model{uuid.uuid4().hex}"


def registered(made, **changes):
    model, kind = made
    given = {
        "kind": kind,
        "suffix": "model",
        "encode": lambda value: value.text.encode(),
        "decode": lambda data: model(bytes(data).decode()),
    }
    register_format(model, **(given | changes))
    return model


class TestRoundTrip:
    @pytest.mark.parametrize("compression", [None, "gzip"])
    def test_a_value_comes_back_without_being_trusted(
        self, made, tmp_path, compression
    ):
        model = registered(made)
        handler = FileHandler(tmp_path, compression=compression)
        values = {"one": model("ü"), "many": [{"a": model("x" * 1000)}, model("")]}
        handler.checkpoint("formats_own", values)
        assert load(tmp_path / "formats_own.ckpt.zip") == values

    def test_the_file_tells_kind_member_and_package(self, made, tmp_path):
        model = registered(made)
        FileHandler(tmp_path).checkpoint("formats_node", model("abc"))
        (entry,) = checkpoints.index(tmp_path)
        node = entry.meta["values"]["data"]
        assert node == {"kind": made[1], "bytes": 3, "member": "data.model"}

    @pytest.mark.parametrize(
        "data",
        [
            bytearray(b"abc"),
            memoryview(b"abc"),
            memoryview(array.array("d", range(500))),
            b"",
            b"x" * 3_000_000,
        ],
        ids=lambda data: f"{type(data).__name__}-{len(data)}",
    )
    @pytest.mark.parametrize("compression", [None, "gzip"])
    def test_any_buffer_can_be_its_bytes(self, made, tmp_path, data, compression):
        model = registered(made, encode=lambda _: data, decode=bytes)
        handler = FileHandler(tmp_path, compression=compression)
        handler.checkpoint("formats_buffers", model(""))
        found = load(tmp_path / "formats_buffers.ckpt.zip")["data"]
        assert found == bytes(data)

    def test_a_subclass_is_no_value_of_the_format(self, made, tmp_path):
        model = registered(made)
        below = type("Below", (model,), {})
        encoded = encode({"v": model("")})
        assert encoded.nodes["v"]["kind"] == made[1]
        with pytest.raises(checkpoints.UntrustedError):
            self.through(below("a"), tmp_path)

    def through(self, value, root):
        pytest.importorskip("cloudpickle", reason="the class is a local one")
        FileHandler(root).checkpoint("formats_below", value)
        return load(root / "formats_below.ckpt.zip")

    def test_a_class_may_be_registered_again_and_the_last_one_counts(self, made):
        model = registered(made)
        registered(made, encode=lambda _: b"new")
        encoded = encode({"v": model("old")})
        assert [list(chunks) for _, chunks in encoded.members] == [[b"new"]]

    def test_a_session_freezes_a_value_as_the_format_says(self, made, tmp_path):
        model = registered(made, freeze=lambda value: type(value)(value.text + "!"))
        value = model("then")
        config("formats_session", tmp_path, on_error="raise")
        with Session("formats_session") as session:
            session.checkpoint(value)
            value.text = "now"
        found = load(tmp_path / "formats_session.ckpt.zip")
        assert found["data"].text == "then!"

    def test_unless_told_otherwise_a_value_is_frozen_by_a_deep_copy(self, made):
        model = registered(made)
        value = model(["then"])
        frozen = freeze([value])[0]
        value.text.append("now")
        assert type(frozen) is model
        assert frozen.text == ["then"]


class TestErrors:
    def test_where_it_is_not_registered_the_file_says_what_to_call(
        self, made, tmp_path
    ):
        model = registered(made)
        FileHandler(tmp_path).checkpoint("formats_other", model("a"))
        path = tmp_path / "formats_other.ckpt.zip"
        done = subprocess.run(
            [sys.executable, "-c", LOAD, SOURCES, path],
            capture_output=True,
            text=True,
            check=True,
        )
        for word in (str(path), "'data'", made[1], "register_format"):
            assert word in done.stdout

    @pytest.mark.parametrize(
        "taken", ["numpy.ndarray", "json", "text", "bytes", "pickle"]
    )
    def test_a_kind_of_the_library_is_taken(self, made, taken):
        with pytest.raises(ConfigError, match="is taken"):
            registered(made, kind=taken)

    def test_a_kind_of_another_class_is_taken_and_by_whom(self, made):
        model = registered(made)
        with pytest.raises(ConfigError, match=model.__qualname__):
            registered((type("Other", (), {}), made[1]))

    @pytest.mark.parametrize(
        "suffix", ["", ".txt", "a/b", "a b", "ü", "../x", "tar.gz"]
    )
    def test_a_suffix_that_is_no_plain_word_is_told(self, made, suffix):
        with pytest.raises(
            ConfigError, match=r"invalid suffix=.*: expected a plain word such as"
        ):
            registered(made, suffix=suffix)

    @pytest.mark.parametrize(
        "plain",
        [list, dict, tuple, set, frozenset, str, int, float, bool, datetime.datetime],
    )
    def test_what_is_kept_as_json_cannot_have_another_format(self, made, plain):
        with pytest.raises(
            ConfigError, match="is always saved as JSON: register the format"
        ):
            registered((plain, made[1]))

    def test_a_refused_format_is_not_half_there(self, made):
        with pytest.raises(ConfigError):
            registered(made, suffix="a b")
        pytest.importorskip("cloudpickle", reason="the class is a local one")
        encoded = encode({"v": made[0]("a")})
        assert encoded.nodes["v"]["kind"] == "pickle"

    def test_a_decode_that_raises_is_told_as_such(self, made, tmp_path):
        def decode(data):
            raise KeyError("mine")

        model = registered(made, decode=decode)
        FileHandler(tmp_path).checkpoint("formats_broken", good=1, bad=model("a"))
        path = tmp_path / "formats_broken.ckpt.zip"
        with pytest.raises(FormatError, match=r"'bad'.*decode.*mine") as told:
            load(path)
        for text in (str(path), repr(made[1])):
            assert text in str(told.value)
        assert load(path, "good") == {"good": 1}

    def test_a_value_that_it_cannot_encode_costs_the_save_and_not_the_program(
        self, made, tmp_path, caplog
    ):
        def fail(value):
            raise KeyError("mine")

        model = registered(made, encode=fail)
        with config("formats_failing", tmp_path):
            checkpoints.checkpoint("formats_failing", model("a"))
        assert "mine" in caplog.text
        assert list(tmp_path.rglob("*.*")) == []

    @pytest.mark.parametrize(
        "wrong", ["text", array.array("B", b"abc"), None, 3, [b"a"]]
    )
    def test_what_it_encodes_to_has_to_be_bytes(self, made, tmp_path, wrong):
        model = registered(made, encode=lambda _: wrong)
        with pytest.raises(FormatError, match="must return bytes") as told:
            FileHandler(tmp_path).checkpoint("formats_wrong", model("a"))
        for text in ("'formats_wrong'", "'data'", repr(made[1]), repr(wrong)):
            assert text in str(told.value)
        assert list(tmp_path.rglob("*.*")) == []
