"""Loading: only the named values, with every byte checked and nothing run."""

from __future__ import annotations

import os
import pathlib
import shutil
import zipfile
from pathlib import Path

import pytest

from checkpoints import (
    CheckpointError,
    ConfigError,
    CorruptFileError,
    FileHandler,
    FormatError,
    Pickled,
    UnknownValueError,
    UntrustedError,
    index,
    load,
    tags,
)
from checkpoints._files.archive import lay_out
from checkpoints._kinds import json_bytes


class Bomb:
    """An object whose loading creates a file; saving loads it once, as a proof."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (pathlib.Path.touch, (self.path,))


@pytest.fixture
def saved(tmp_path):
    """Save values; return the path of the file."""

    def saved(**values):
        FileHandler(tmp_path / "root").checkpoint("mypkg.fit", values)
        return tmp_path / "root" / "mypkg" / "fit.ckpt.zip"

    return saved


def member_of(path, name):
    """Return the offset and the length of a value's bytes in the file."""
    (entry,) = index(path.parent)
    member = entry.meta["values"][name]["member"]
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(member)
    data = path.read_bytes()
    name_bytes = int.from_bytes(data[info.header_offset + 26 :][:2], "little")
    extra_bytes = int.from_bytes(data[info.header_offset + 28 :][:2], "little")
    return info.header_offset + 30 + name_bytes + extra_bytes, info.file_size


def damage(path, name):
    """Change one bit in the middle of a value."""
    start, size = member_of(path, name)
    data = bytearray(path.read_bytes())
    data[start + size // 2] ^= 1
    path.write_bytes(data)


class TestSource:
    @pytest.mark.parametrize("kind", [str, Path])
    def test_it_is_a_path(self, saved, kind):
        assert load(kind(saved(x=1))) == {"x": 1}

    def test_it_is_an_entry(self, saved):
        (entry,) = index(saved(x=1).parent)
        assert load(entry) == {"x": 1}

    def test_it_does_not_matter_where_the_file_lies_now(self, saved, tmp_path):
        shutil.copy(saved(x=1), tmp_path / "elsewhere.bin")
        assert load(tmp_path / "elsewhere.bin") == {"x": 1}

    def test_it_is_an_error_where_there_is_no_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="nothing"):
            load(tmp_path / "nothing.ckpt.zip")

    def test_a_folder_is_an_error_that_names_it(self, tmp_path):
        with pytest.raises(OSError, match=tmp_path.name):
            load(tmp_path)


class TestNames:
    def test_all_values_come_in_the_order_of_the_save(self, saved):
        assert list(load(saved(b=1, a="x", c=None)).items()) == [
            ("b", 1),
            ("a", "x"),
            ("c", None),
        ]

    def test_those_that_are_named_come_alone(self, saved):
        path = saved(x=1, y=[2], z="3")
        assert load(path, "y") == {"y": [2]}
        assert load(path, "z", "x") == {"z": "3", "x": 1}
        assert load(path, "x", "x") == {"x": 1}

    def test_a_file_may_hold_no_value(self, saved):
        assert load(saved()) == {}

    def test_an_unknown_value_is_an_error_with_the_nearest_name(self, saved):
        path = saved(residuals=1, residual=2, coefficients=3)
        with pytest.raises(UnknownValueError) as told:
            load(path, "residuls")
        assert isinstance(told.value, LookupError)
        hint = "did you mean 'residuals'?"
        assert str(told.value) == f"{path} has no value 'residuls'; {hint}"

    def test_an_unknown_value_like_no_other_is_an_error_with_the_names(self, saved):
        with pytest.raises(UnknownValueError, match=r"there are 'x', 'y'$"):
            load(saved(y=1, x=2), "model")

    def test_of_many_names_the_error_lists_eight(self, saved):
        path = saved(**{f"x{number}": number for number in range(10)})
        with pytest.raises(UnknownValueError, match=r"'x7' and 2 more$"):
            load(path, "model")

    def test_a_value_by_itself_needs_no_other_to_be_whole(self, saved):
        path = saved(good="g" * 5000, bad="b" * 5000)
        damage(path, "bad")
        assert load(path, "good") == {"good": "g" * 5000}
        with pytest.raises(CorruptFileError, match="changed") as told:
            load(path, "bad")
        assert str(path) in str(told.value)
        assert "Restore it from a copy or save again" in str(told.value)
        with pytest.raises(CorruptFileError):
            load(path)

    def test_a_large_value_is_checked_as_well(self, saved):
        path = saved(good=1, bad=b"\0" * 3_000_000)
        damage(path, "bad")
        assert load(path, "good") == {"good": 1}
        with pytest.raises(CorruptFileError, match="changed"):
            load(path, "bad")


class TestTrusted:
    def test_a_pickle_is_not_loaded_unasked(self, saved, tmp_path):
        path = saved(model=Bomb(tmp_path / "harm"), score=1)
        (tmp_path / "harm").unlink()
        with pytest.raises(ConfigError, match="invalid trusted='no'"):
            load(path, trusted="no")
        with pytest.raises(UntrustedError, match="any code") as told:
            load(path)
        assert isinstance(told.value, ValueError)
        for text in (str(path), "'model'", "Bomb", "trusted=True"):
            assert text in str(told.value)
        assert not (tmp_path / "harm").exists()

    def test_other_values_of_the_file_are_loaded_all_the_same(self, saved, tmp_path):
        path = saved(model=Bomb(tmp_path / "harm"), score=1)
        (tmp_path / "harm").unlink()
        assert load(path, "score") == {"score": 1}
        assert not (tmp_path / "harm").exists()

    def test_a_pickle_inside_of_another_value_is_not_loaded_either(
        self, saved, tmp_path
    ):
        path = saved(models=[{"best": Bomb(tmp_path / "harm")}])
        (tmp_path / "harm").unlink()
        with pytest.raises(UntrustedError, match="models"):
            load(path)
        assert not (tmp_path / "harm").exists()

    def test_who_trusts_it_gets_it(self, saved):
        path = saved(number=complex, nested=[slice(3)])
        assert load(path, trusted=True) == {"number": complex, "nested": [slice(3)]}
        (entry,) = index(path.parent)
        assert entry.load("number", trusted=True) == {"number": complex}

    def test_the_header_can_be_read_without_trust(self, saved, tmp_path):
        (entry,) = index(saved(model=Bomb(tmp_path / "harm")).parent)
        (tmp_path / "harm").unlink()
        assert entry.meta["values"]["model"]["type"].endswith("Bomb")
        assert not (tmp_path / "harm").exists()


class TestPlaceholders:
    def test_the_rest_of_a_value_loads_without_trust(self, saved):
        path = saved(models={"best": slice(3), "score": [1, 2]})
        found = load(path, placeholders=True)["models"]
        assert found["score"] == [1, 2]
        assert type(found["best"]) is Pickled
        assert found["best"].type == "slice"
        assert repr(found["best"]) == "<Pickled slice: load it with trusted=True>"

    def test_equal_pickles_are_equal_placeholders(self, saved):
        one = load(saved(a=slice(3), b=slice(3), c=slice(4)), placeholders=True)
        assert one["a"] == one["b"]
        assert one["a"] != one["c"]

    def test_several_objects_of_one_value_name_their_types(self, saved):
        found = load(saved(a=[slice(3), 1, complex]), placeholders=True)["a"]
        assert [it.type for it in (found[0], found[2])] == ["slice, type"] * 2

    def test_trust_comes_first(self, saved):
        path = saved(a=[slice(3)])
        assert load(path, trusted=True, placeholders=True) == {"a": [slice(3)]}

    def test_the_other_columns_of_a_frame_load(self, saved):
        pandas = pytest.importorskip("pandas", reason="it is about frames")
        odd = pandas.Series([slice(1), 2], dtype=object)
        frame = pandas.DataFrame({"a": [1, 2], "odd": odd})
        found = load(saved(frame=frame), placeholders=True)["frame"]
        assert found["a"].tolist() == [1, 2]
        assert type(found["odd"][0]) is Pickled
        assert found["odd"][1] == 2


class TestArrays:
    @pytest.fixture
    def numpy(self):
        return pytest.importorskip("numpy")

    def test_they_are_ordinary_writable_ones(self, numpy, saved):
        path = saved(x=numpy.arange(6.0).reshape(2, 3), y=[numpy.ones(2)])
        loaded = load(path)
        assert type(loaded["x"]) is numpy.ndarray
        loaded["x"][0, 0] = 9
        loaded["y"][0][:] = 9
        assert load(path)["x"].tolist() == [[0, 1, 2], [3, 4, 5]]

    def test_numpy_reads_them_from_the_file_by_itself(self, numpy, saved):
        with numpy.load(saved(x=numpy.arange(3))) as file:
            assert file["x"].tolist() == [0, 1, 2]

    def test_mapped_ones_are_read_only(self, numpy, saved):
        path = saved(x=numpy.arange(6.0).reshape(2, 3))
        mapped = load(path, mmap=True)["x"]
        assert mapped.tolist() == [[0, 1, 2], [3, 4, 5]]
        assert not mapped.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            mapped[0, 0] = 9

    def test_mapped_ones_lie_in_the_file(self, numpy, saved):
        path = saved(x=numpy.zeros(100_000))
        mapped = load(path, mmap=True)["x"]
        start, size = member_of(path, "x")
        with path.open("r+b") as file:
            file.seek(start + size - 8)
            file.write(numpy.float64(7).tobytes())
        assert mapped[-1] == 7

    def test_mapped_ones_are_unchecked_and_others_are_not(self, numpy, saved):
        path = saved(x=numpy.zeros(1000), text="t" * 1000)
        damage(path, "x")
        assert load(path, "x", mmap=True)["x"].any()
        with pytest.raises(CorruptFileError):
            load(path, "x")
        damage(path, "text")
        with pytest.raises(CorruptFileError):
            load(path, "text", mmap=True)

    def test_mapping_copies_what_is_no_array_or_is_compressed(self, numpy, tmp_path):
        handler = FileHandler(tmp_path, compression="gzip")
        handler.checkpoint("a", x=numpy.zeros(1000), text="t", buffer=b"b", n=1)
        (entry,) = index(tmp_path)
        loaded = entry.load(mmap=True)
        assert loaded.pop("x").tolist() == [0] * 1000
        assert loaded == {"text": "t", "buffer": b"b", "n": 1}

    def test_a_mapped_array_outlives_the_file(self, numpy, saved):
        if os.name == "nt":
            pytest.skip("a mapped file cannot be deleted here")
        path = saved(x=numpy.arange(1000))
        mapped = load(path, mmap=True)["x"]
        path.unlink()
        assert mapped.sum() == 499_500

    def test_a_table_in_parquet_is_checked_too(self, tmp_path):
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        handler = FileHandler(tmp_path, format="parquet")
        handler.checkpoint("a", frame=pandas.DataFrame({"x": range(1000)}))
        path = tmp_path / "a.ckpt.parquet"
        assert load(path, "frame")["frame"]["x"].sum() == 499_500
        with pytest.raises(UnknownValueError, match="frame"):
            load(path, "fram")
        data = bytearray(path.read_bytes())
        data[len(data) // 3] ^= 1
        path.write_bytes(data)
        with pytest.raises(CorruptFileError, match="changed"):
            load(path)


class TestDamage:
    @pytest.mark.parametrize("content", [b"", b"x", b"PK\3\4", b"PAR1", b"text " * 99])
    def test_what_is_no_checkpoint_is_an_error_that_names_the_file(
        self, tmp_path, content
    ):
        path = tmp_path / "a.ckpt.zip"
        path.write_bytes(content)
        with pytest.raises(CorruptFileError, match="not a checkpoint file") as told:
            load(path)
        assert str(path) in str(told.value)
        assert isinstance(told.value, ValueError)

    def test_a_zip_of_somebody_else_is_no_checkpoint(self, tmp_path):
        path = tmp_path / "a.ckpt.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.txt", "hello")
        with pytest.raises(CorruptFileError, match="a ZIP file without a checkpoint"):
            load(path)

    def test_a_file_cut_short_is_an_error(self, saved):
        path = saved(x="some text", y=[1, 2])
        whole = path.read_bytes()
        for size in range(0, len(whole), 5):
            path.write_bytes(whole[:size])
            with pytest.raises(CorruptFileError):
                load(path)

    def test_a_byte_changed_is_an_error(self, saved):
        path = saved(x="some text", y=[1, 2])
        whole = path.read_bytes()
        for position in range(0, len(whole), 5):
            changed = bytearray(whole)
            changed[position] ^= 0x20
            path.write_bytes(changed)
            with pytest.raises((CheckpointError, CorruptFileError)):
                load(path)

    @staticmethod
    def with_header(path, header):
        _, pieces = lay_out([], json_bytes.to_bytes(header), seconds=0)
        path.write_bytes(b"".join(bytes(piece) for _, piece in pieces))

    def test_a_later_format_is_an_error_that_says_how_to_get_it(self, tmp_path):
        path = tmp_path / "a.ckpt.zip"
        self.with_header(path, {"checkpoints": 99})
        with pytest.raises(FormatError, match=r"version 99.*later version") as told:
            load(path)
        assert str(path) in str(told.value)

    @pytest.mark.parametrize(
        "header", [[], {}, {"checkpoints": 1}, {"checkpoints": 1, "values": [1]}]
    )
    def test_a_header_without_sense_is_no_checkpoint(self, tmp_path, header):
        path = tmp_path / "a.ckpt.zip"
        self.with_header(path, header)
        with pytest.raises(CorruptFileError, match="header"):
            load(path)

    def test_a_header_without_sense_hinders_no_later_save(self, tmp_path):
        with tags(day="monday"):
            FileHandler(tmp_path).checkpoint("a", 1)
        (entry,) = index(tmp_path)
        kept = {"checkpoints": 1, "name": "a", "values": {}, "tags": []}
        kept["time"] = "2024-01-01"
        self.with_header(Path(entry.path), kept)
        with tags(day="monday"):
            FileHandler(tmp_path).checkpoint("a", 2)
        assert entry.load() == {"data": 2}

    def test_no_file_stays_open(self, saved):
        if not Path("/proc/self/fd").exists():
            pytest.skip("open files cannot be listed here")
        path = saved(x="x" * 1000)
        damage(path, "x")
        before = os.listdir("/proc/self/fd")
        for _ in range(20):
            with pytest.raises(CorruptFileError):
                load(path)
        assert len(os.listdir("/proc/self/fd")) == len(before)
