"""The errors: each can be caught as ours or as the builtin, and says what to do."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest

import checkpoints
from checkpoints import errors
from checkpoints.errors import CheckpointError, CorruptFileError

BUILTINS = {
    "ConfigError": ValueError,
    "AlreadyStoredError": FileExistsError,
    "CorruptFileError": ValueError,
    "TooLargeError": MemoryError,
    "UntrustedError": ValueError,
    "FormatError": TypeError,
    "UnknownOutcomeError": OSError,
    "PendingError": TimeoutError,
    "UnknownValueError": LookupError,
    "MissingDependencyError": ImportError,
    "ReplayError": RuntimeError,
    "ExecutorError": RuntimeError,
}


class TestFamily:
    def test_it_is_complete(self):
        assert set(errors.__all__) == {"CheckpointError", *BUILTINS}

    @pytest.mark.parametrize(("name", "builtin"), BUILTINS.items())
    def test_each_is_also_the_builtin_that_a_caller_would_catch(self, name, builtin):
        error = getattr(checkpoints, name)
        assert issubclass(error, CheckpointError)
        assert issubclass(error, builtin)
        with pytest.raises(builtin, match="what and where"):
            raise error("what and where")

    def test_the_root_is_an_ordinary_error(self):
        assert CheckpointError.__bases__ == (Exception,)

    @pytest.mark.parametrize("name", errors.__all__)
    def test_each_says_what_it_is_for(self, name):
        assert inspect.getdoc(getattr(errors, name)).endswith(".")

    @pytest.mark.parametrize("name", errors.__all__)
    def test_each_keeps_its_message_through_copies_and_pickles(self, name):
        """A worker's error reaches its parent as a pickle."""
        error = getattr(errors, name)("what and where")
        for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
            assert type(again) is type(error)
            assert str(again) == "what and where"

    def test_a_damaged_file_is_told_with_its_path_and_the_way_out(self):
        error = CorruptFileError.at("root/a.ckpt.zip", "it is truncated")
        assert isinstance(error, CorruptFileError)
        assert str(error) == (
            "root/a.ckpt.zip is damaged or not a checkpoint file: it is truncated. "
            "Restore it from a copy or save again"
        )


class Unpicklable:
    def __reduce__(self):
        raise RuntimeError("this holds an open connection")


def stored_already(tmp_path):
    handler = checkpoints.DictHandler()
    handler.checkpoint("mypkg.fit", 1)
    handler.checkpoint("mypkg.fit", 2)


def file_already(tmp_path):
    handler = checkpoints.FileHandler(tmp_path, if_exists="error")
    handler.checkpoint("mypkg.fit", 1)
    handler.checkpoint("mypkg.fit", 2)


def unpicklable(tmp_path):
    checkpoints.FileHandler(tmp_path).checkpoint("mypkg.fit", model=Unpicklable())


def untrusted(tmp_path):
    checkpoints.FileHandler(tmp_path).checkpoint("mypkg.fit", model=object)
    checkpoints.load(tmp_path / "mypkg" / "fit.ckpt.zip")


def no_value(tmp_path):
    checkpoints.FileHandler(tmp_path).checkpoint("mypkg.fit", model=1)
    checkpoints.load(tmp_path / "mypkg" / "fit.ckpt.zip", "modle")


def no_checkpoint(tmp_path):
    (tmp_path / "x.ckpt.zip").write_text("hello")
    checkpoints.load(tmp_path / "x.ckpt.zip")


def not_writable(tmp_path):
    (tmp_path / "file").write_text("in the way")
    checkpoints.FileHandler(tmp_path / "file").checkpoint("mypkg.fit", 1)


# What happens, its error, and the words that say what, where, and the way out.
STORIES = [
    (lambda _: checkpoints.register("a..b"), "ConfigError", ["'a..b'", "such as"]),
    (lambda _: checkpoints.tags(("a=b", 1)), "ConfigError", ["'a=b'", "without '='"]),
    (lambda _: checkpoints.tags("day"), "ConfigError", ["'day'", "write tags(date="]),
    (lambda _: checkpoints.config("a", 5), "ConfigError", ["5", "give a path"]),
    (
        lambda _: checkpoints.config("a", print, evry=2),
        "ConfigError",
        ["unknown option 'evry'; did you mean 'every'?"],
    ),
    (
        lambda _: checkpoints.config("a", print, format="zip"),
        "ConfigError",
        ["format", "give a path, or set them on the handler"],
    ),
    (
        lambda _: checkpoints.config("a", "out", every=0),
        "ConfigError",
        ["every=0", "from 1 up", "use the target None"],
    ),
    (
        lambda _: checkpoints.FileHandler("out", if_exists="append"),
        "ConfigError",
        ["if_exists='append'", "'replace'", "'keep'", "'skip'", "'error'"],
    ),
    (
        lambda _: checkpoints.FileHandler("out", compression="lzma"),
        "ConfigError",
        ["compression='lzma'", "'zstd'", "'gzip'"],
    ),
    (
        lambda _: checkpoints.load(5),
        "ConfigError",
        ["5 is not a path", "an entry of an index"],
    ),
    (
        stored_already,
        "AlreadyStoredError",
        ["'mypkg.fit'", "'mypkg/fit'", "add a tag", "force=True"],
    ),
    (
        file_already,
        "AlreadyStoredError",
        ["'mypkg.fit'", "{root}/mypkg/fit.ckpt.zip", "add a tag", "if_exists="],
    ),
    (
        unpicklable,
        "FormatError",
        ["'mypkg.fit'", "'model'", "Unpicklable", "open connection", "Save the parts"],
    ),
    (untrusted, "UntrustedError", ["{root}", "'model'", "trusted=True"]),
    (no_value, "UnknownValueError", ["{root}", "'modle'", "'model'"]),
    (
        no_checkpoint,
        "CorruptFileError",
        ["{root}", "not a checkpoint file", "does not start like one", "from a copy"],
    ),
]


class TestMessages:
    @pytest.mark.parametrize(("act", "name", "words"), STORIES)
    def test_each_says_what_and_where_and_the_way_out(self, act, name, words, tmp_path):
        with pytest.raises(CheckpointError) as told:
            act(tmp_path)
        assert type(told.value).__name__ == name
        for word in words:
            assert word.format(root=tmp_path) in str(told.value).replace("\\", "/")

    def test_an_error_of_the_system_gets_a_note_that_does(self, tmp_path):
        with pytest.raises(OSError, match="file") as told:
            not_writable(tmp_path)
        (note,) = told.value.__notes__
        for text in ("'mypkg.fit'", str(tmp_path / "file"), "disk is not full"):
            assert text in note
