"""Files of JLSO: written, read back, and forged."""

from __future__ import annotations

import datetime
import json
import os
import random
import struct
import tomllib
import tracemalloc
import uuid
import zlib
from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import checkpoints
from checkpoints import (
    CorruptFileError,
    FileHandler,
    FormatError,
    Record,
    TooLargeError,
    index,
    load,
)
from checkpoints._files.bson import document
from checkpoints._files.bson_writer import BsonWriter
from checkpoints._files.jlso_document import JlsoDocument
from checkpoints._files.julia_bson import BsonValues
from checkpoints._files.julia_encoder import JuliaArray, JuliaEncoder, JuliaStruct
from checkpoints._files.julia_types import named, typed
from checkpoints._kinds.same import same

numpy = pytest.importorskip("numpy")

PLAIN = {
    "none": None, "yes": True, "int": -7, "large": 2**62, "float": 0.1, "text": "hé☕",
    "empty": "", "bytes": b"\0\xff", "list": [1, ["a", None]], "tuple": (1, ("b", 2.5)),
    "dict": {"a": {"b": 1}}, "keys": {1: "x", (1, 2): None}, "set": {1, 2},
    "range": range(1, 4), "steps": range(7, 0, -2), "no steps": range(5, 5, -2),
    "complex": 1 + 2j, "fraction": Fraction(3, 4), "uuid": uuid.UUID(int=5),
    "date": datetime.date(2020, 1, 2), "time": datetime.time(1, 2, 3, 4),
    "datetime": datetime.datetime(2020, 1, 2, 3, 4, 5, 6000),
    "span": datetime.timedelta(days=-1, microseconds=3),
}  # fmt: skip
ARRAYS = [
    numpy.arange(3.0), numpy.arange(6).reshape(2, 3), numpy.array(1.5),
    numpy.arange(24, dtype="f4").reshape(2, 3, 4), numpy.zeros((0, 3)),
    numpy.array([[True, False]]), numpy.array([1, 2], "u1"), numpy.array([1], "i2"),
    numpy.array([0.5], "f2"), numpy.array([1 + 2j]), numpy.array([1 + 2j], "c8"),
    numpy.array(["a", "bcd"]), numpy.array([["a", "b"], ["c", "d"]]),
    numpy.array(["2020-01-02", "1960-01-01"], "M8[D]"),
    numpy.array(["2020-01-02T03:04:05.006"], "M8[ms]"), numpy.array([1, -2], "m8[ns]"),
    numpy.random.default_rng(0).random((100, 30)),
]  # fmt: skip
SCALARS = ["f2", "f4", "i1", "i2", "i4", "u1", "u2", "u4", "u8"]


@pytest.fixture(params=["none", "gzip"])
def handler(request, tmp_path):
    return FileHandler(tmp_path, format="jlso", compression=request.param)


def saved(handler, value):
    handler.checkpoint("a.b", x=value)
    return load(os.path.join(handler.root, "a", "b.jlso"), "x")["x"]


class TestRoundTrips:
    @pytest.mark.parametrize("name", PLAIN)
    def test_a_plain_value_comes_back(self, handler, name):
        found = saved(handler, PLAIN[name])
        assert same(found, PLAIN[name]), found

    @pytest.mark.parametrize("number", range(len(ARRAYS)))
    def test_an_array_comes_back_with_dtype_and_shape(self, handler, number):
        expected = ARRAYS[number]
        found = saved(handler, expected)
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        assert numpy.array_equal(found, expected)
        assert found.flags.writeable
        assert found.flags.aligned

    @pytest.mark.parametrize("dtype", SCALARS)
    def test_a_number_keeps_its_width(self, handler, dtype):
        value = numpy.dtype(dtype).type(3)
        found = saved(handler, value)
        assert type(found) is type(value)
        assert found == value

    def test_an_array_in_the_order_of_columns_is_not_turned_round(self, handler):
        array = numpy.asfortranarray(numpy.arange(6).reshape(2, 3))
        assert saved(handler, array).tolist() == [[0, 1, 2], [3, 4, 5]]

    @pytest.mark.parametrize("fields", [{}, {"a": 1, "β": ["x", {"c": None}]}])
    def test_a_named_tuple_of_julia_is_one_again(self, handler, fields):
        record = Record("Core.NamedTuple", fields)
        assert saved(handler, {"inner": [record]}) == {"inner": [record]}

    def test_a_pair_of_julia_is_one_again(self, handler):
        fields = {"first": "a", "second": 1}
        found = saved(handler, Record("Base.Pair{String,Int64}", fields))
        assert found == Record("Base.Pair{Any,Any}", fields)

    def test_sets_in_a_set_are_those_that_they_were(self, handler):
        found = saved(handler, frozenset([frozenset([1])]))
        assert (found.type, found["dict"]["keys"]) == ("Base.Set{Any}", [{1}])

    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(2**63), 2**63 - 1)
            | st.floats(allow_nan=False)
            | st.text("aZ é☕\0\x7f\n", max_size=9)
            | st.binary(max_size=9)
            | st.dates(),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.tuples(inner, inner)
                | st.dictionaries(st.text("ab\0é", max_size=3), inner, max_size=4)
            ),
            max_leaves=20,
        )
    )
    def test_any_nested_value_comes_back(self, value):
        writer = BsonWriter()
        JuliaEncoder(writer, lambda it: it).document({"object": value})
        written = memoryview(bytearray(b"".join(writer.pieces)))
        found = BsonValues(written, lambda _: None)
        assert same(found.value(found.root)["object"], value)


class TestRefusals:
    """What Julia has no word for is refused, with the way out; nothing is pickled."""

    @pytest.mark.parametrize(
        ("value", "way"),
        [
            (object(), "format='zip'"),
            (2**63, "save it as a text"),
            (datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), "isoformat"),
            (datetime.datetime(2020, 1, 1, 0, 0, 0, 1), "round it"),
            ("\ud800", "save its bytes"),
            (numpy.array(["2020-01-01T00:00:00.0001"], "M8[us]"), "round them"),
            (numpy.array([2**63 - 2], "M8[ms]"), "format='zip'"),
            (numpy.zeros(2, "f4,f4"), "format='zip'"),
            (numpy.zeros(2, "f4,O"), "format='zip'"),
            (numpy.zeros(2, "f4,O")[0], "format='zip'"),
            (Record("Main.Point", {"x": 1}), "dict(record)"),
            (Record("Core.NamedTuple", {"a\0": 1}), "NUL"),
            (Record("Core.NamedTuple", {"\ud800": 1}), "not Unicode"),
            (Record("Core.NamedTuple", {"a" * 70_000: 1}), "too long"),
        ],
    )
    def test_the_error_says_what_to_do(self, handler, value, way):
        with pytest.raises(FormatError, match="value 'x' cannot be saved") as caught:
            saved(handler, {"inner": [value]})
        assert way in str(caught.value)
        assert not os.path.exists(os.path.join(handler.root, "a"))

    def test_a_value_that_contains_itself(self, handler):
        value = []
        value.append(value)
        with pytest.raises(FormatError, match="contains itself"):
            saved(handler, value)

    def test_dicts_that_are_nested_deep(self, handler):
        def nested(levels):
            return {"a": nested(levels - 1)} if levels else None

        assert saved(handler, nested(45)) == nested(45)
        with pytest.raises(FormatError, match="nested too deep"):
            saved(handler, nested(60))

    def test_options_that_julia_has_no_like_for(self, tmp_path):
        with pytest.raises(checkpoints.ConfigError, match="has no zstd"):
            FileHandler(tmp_path, format="jlso", compression="zstd")
        with pytest.raises(checkpoints.ConfigError, match="numbered"):
            FileHandler(tmp_path, format="jlso", if_exists="keep")

    def test_numbered_files_are_not_advised(self, tmp_path, caplog):
        handler = FileHandler(tmp_path, format="jlso")
        for number in range(2):
            handler.checkpoint("a", x=number)
        assert "add a tag that distinguishes them" in caplog.text
        with pytest.raises(checkpoints.AlreadyStoredError) as caught:
            FileHandler(tmp_path, format="jlso", if_exists="error").checkpoint("a", x=1)
        assert "keep'" not in caplog.text + str(caught.value)

    def test_what_is_saved_differently_is_told_once_for_each_value(
        self, tmp_path, caplog
    ):
        pandas = pytest.importorskip("pandas")
        handler = FileHandler(tmp_path, format="jlso", if_exists="replace")
        frame = pandas.DataFrame({"a": [1]})
        for _ in range(2):
            handler.checkpoint("a", x=frame, y=frame)
        assert caplog.text.count("a dict of its columns") == 2

    def test_a_document_of_more_than_two_gibibytes(self, monkeypatch, handler):
        monkeypatch.setattr("checkpoints._files.bson_writer._LARGEST", 1000)
        with pytest.raises(FormatError, match="2 GiB"):
            saved(handler, numpy.zeros(200))


class TestHeader:
    def test_it_is_that_of_any_other_file(self, handler):
        with checkpoints.tags(day=1):
            handler.checkpoint("shop.total", price=9.5, rows=numpy.zeros((2, 3)))
        meta = index(handler.root)[0].meta
        assert (meta["name"], meta["tags"]) == ("shop.total", (("day", 1),))
        assert meta["values"]["rows"]["shape"] == [2, 3]
        assert meta["packages"]["numpy"] == numpy.__version__
        assert index(handler.root).runs().keys() == {meta["run"]}

    @pytest.mark.parametrize("compression", ["none", "gzip"])
    def test_it_has_the_form_of_the_file(self, tmp_path, compression):
        FileHandler(tmp_path, format="jlso", compression=compression).checkpoint("a", 1)
        meta = index(tmp_path)[0].meta
        form = [meta[it] for it in ("jlso", "format", "compression")]
        assert form == ["4.0.0", "bson", compression]

    def test_it_is_in_the_project_as_toml(self, handler):
        with checkpoints.tags(day='é☕\x7f"'):
            handler.checkpoint("a", x=1)
        path = index(handler.root)[0].path
        with open(path, "rb") as file:
            data = file.read()
        size = int.from_bytes(data[:4], "little")
        _, values = document(memoryview(data)[:size], lambda _: None)["data"]
        names, texts = values[0]["data"]
        project = tomllib.loads(dict(zip(names, texts, strict=True))["project"])
        header = json.loads(project["checkpoints"]["header"])
        assert header["tags"] == [["day", 'é☕\x7f"']]
        assert project["python"]["packages"]["checkpoints"] == "0.1.0"

    def test_one_value_is_read_without_the_others(self, handler):
        handler.checkpoint("a", x=numpy.arange(100_000.0), y="small")
        path = os.path.join(handler.root, "a.jlso")
        assert load(path, "y", max_bytes=25_000) == {"y": "small"}
        with pytest.raises(TooLargeError):
            load(path, "x", max_bytes=25_000)

    def test_a_file_that_others_have_changed_has_the_header_of_julia(self, tmp_path):
        meta = {**METADATA, "project": '[checkpoints]\nheader = "{\\"values\\": {}}"\n'}
        path = written(tmp_path, meta, {"x": 1})
        assert index(tmp_path)[0].meta["julia"] == "1.5.3"
        assert load(path) == {"x": 1}

    def test_a_file_that_julia_has_written_again_has_its_header(self, tmp_path):
        # Under the same names there can be other objects.
        FileHandler(tmp_path, format="jlso", compression="none").checkpoint("a", x=1)
        data = (tmp_path / "a.jlso").read_bytes()
        size = int.from_bytes(data[:4], "little")
        found = JlsoDocument(memoryview(data)[:size], len(data), lambda _: None)
        either = named("Union", named("String"), named("Array", named("UInt8"), 1))
        kind = named("Dict", named("String"), either)
        meta = JuliaStruct(kind, [[*found.meta], [*found.meta.values()]])
        path = written(tmp_path, METADATA, {"x": 2}, metadata=meta)
        assert load(path) == {"x": 2}
        assert "run" not in index(tmp_path)[0].meta
        assert checkpoints.verify(tmp_path).ok


METADATA = {
    "version": "4.0.0", "julia": "1.5.3", "format": "bson", "compression": "none",
    "image": "", "project": "", "manifest": b"",
}  # fmt: skip


def bson(value):
    writer = BsonWriter()
    JuliaEncoder(writer, lambda it: it).document(value)
    return b"".join(writer.pieces)


def plain(value):
    """Return a document of dicts, lists, texts and integers without any tags."""
    writer = BsonWriter()

    def add(key, value):
        if isinstance(value, str):
            writer.text(key, value)
        elif isinstance(value, int):
            writer.int64(key, value)
        else:
            opened = writer.open(key or None, is_array=isinstance(value, list))
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for name, item in items:
                add(str(name), item)
            writer.close(opened)

    add("", value)
    return b"".join(writer.pieces)


def integers(*numbers):
    data = b"".join(it.to_bytes(8, "little", signed=True) for it in numbers)
    return JuliaArray(named("Int64"), (len(numbers),), data)


def written(folder, metadata, values, /, **changed):
    """Write a file of the version in its metadata; return its path."""
    objects = {name: bson({"object": value}) for name, value in values.items()}
    sizes = [len(data) for data in objects.values()]
    if not metadata["version"].startswith("4"):
        return put(folder, bson({"metadata": metadata, "objects": objects}))

    def root(start):
        starts = [start + sum(sizes[:at]) for at in range(len(sizes))]
        parts = {"object-pos": integers(*starts), "object-nbytes": integers(*sizes)}
        names = {"metadata": metadata, "object-names": [*objects]}
        return bson({**names, **parts, **changed})

    return put(folder, root(len(root(0))) + b"".join(objects.values()))


def put(folder, data):
    path = folder / "a.jlso"
    path.write_bytes(data)
    return path


class TestTypes:
    def test_a_union_is_a_type(self):
        def kind(name):
            path = ["Main", "Core", name]
            return {"tag": "datatype", "name": path, "params": []}

        parts = [kind("Int64"), kind("String")]
        node = {"tag": "struct", "type": kind("Union"), "data": parts}
        found = BsonValues(memoryview(plain({"object": node})), lambda _: None)
        expected = Record("Core.DataType", {"name": "Base.Union{Int64,String}"})
        assert found.value(found.root)["object"] == expected


class TestVersions:
    @pytest.mark.parametrize("version", ["1.0.0", "2.0.0", "3.0.0", "4.0.0"])
    def test_each_is_read(self, tmp_path, version):
        path = written(tmp_path, {**METADATA, "version": version}, {"x": [1], "y": "a"})
        assert load(path) == {"x": [1], "y": "a"}
        assert checkpoints.verify(tmp_path).ok

    def test_the_packages_of_early_versions_are_in_the_document(self, tmp_path):
        metadata = {"version": "1.0.0", "julia": "1.1.0", "format": "bson"}
        metadata |= {"image": "", "pkgs": {"DataFrames": "0.18.3"}}
        written(tmp_path, metadata, {"x": 1})
        meta = index(tmp_path)[0].meta
        assert meta["packages"] == {"DataFrames": "0.18.3"}
        assert meta["compression"] == "none"

    @pytest.mark.parametrize(
        ("field", "value"),
        [("version", "5.0.0"), ("format", "x"), ("compression", "y")],
    )
    def test_what_is_unknown_is_told(self, tmp_path, field, value):
        path = written(
            tmp_path, {**METADATA, "version": "3.0.0", field: value}, {"x": 1}
        )
        with pytest.raises(FormatError, match=value):
            load(path)

    def test_the_versions_of_packages_are_those_of_the_project(self, tmp_path):
        manifest = '[[A]]\nversion = "1"\n\n[[deps.B]]\ndeps = ["A"]\nversion = "2"\n'
        meta = {**METADATA, "manifest": manifest.encode()}
        written(tmp_path, {**meta, "project": '[deps]\nB = "uuid"\n'}, {"x": 1})
        assert index(tmp_path)[0].meta["packages"] == {"B": "2"}


def in_document(folder, data, **changed):
    """Write a file with an object from its bytes; return its path."""
    meta = {**METADATA, "version": "3.0.0", **changed}
    return put(folder, bson({"metadata": meta, "objects": {"x": data}}))


class TestWhatIsNotRead:
    """A whole file with what cannot be read here is not called damaged."""

    @pytest.mark.parametrize("kind", [0x07, 0x09, 0x11, 0x13])
    def test_elements_that_julia_does_not_write(self, tmp_path, kind):
        element = bytes([kind]) + b"a\0" + bytes(16)
        data = struct.pack("<i", len(element) + 5) + element + b"\0"
        with pytest.raises(FormatError, match=f"type 0x{kind:02x}") as caught:
            load(in_document(tmp_path, data))
        assert "damaged" not in str(caught.value)

    def test_an_element_that_no_one_writes(self, tmp_path):
        data = struct.pack("<i", 9) + b"\x20a\0\0\0"
        with pytest.raises(CorruptFileError, match="damaged"):
            load(in_document(tmp_path, data))

    @pytest.mark.parametrize(
        "kind",
        [
            named("#sin"),
            named("Main.Shop.#price"),
            named("Tuple", named("#sin"), named("Int64")),
            named("NamedTuple", ("f",), named("Tuple", named("#sin"))),
        ],
        ids=["named", "of a module", "in a tuple", "in a named tuple"],
    )
    def test_functions(self, tmp_path, kind):
        functions = [JuliaArray(kind, (2,), bytes(2))]
        if kind.name.startswith("#"):
            functions += [JuliaStruct(kind, b""), JuliaStruct(kind, [1])]
        for value in functions:
            path = written(tmp_path, METADATA, {"x": value, "y": 1})
            with pytest.raises(FormatError, match="function"):
                load(path)
            assert load(path, "y") == {"y": 1}

    def test_lists_nested_deep_in_the_format_of_julia(self, tmp_path):
        data = bytes.fromhex("374a4c0704000000" + "1546e0" * 5000 + "4e")
        path = in_document(tmp_path, data, format="julia_serialize")
        with pytest.raises(FormatError, match="value 'x': it is nested too deep"):
            load(path)
        assert checkpoints.verify(tmp_path).ok

    def test_functions_without_a_name(self, tmp_path):
        kind = {"tag": "jl_anonymous", "params": [], "typename": {"tag": "ref"}}
        node = {"tag": "struct", "type": kind, "data": []}
        with pytest.raises(FormatError, match="function"):
            load(in_document(tmp_path, plain({"object": node})))

    def test_the_type_of_a_function_is_a_type(self, tmp_path):
        kind = {"tag": "datatype", "name": ["Main", "Base", "#sin"], "params": []}
        path = in_document(tmp_path, plain({"object": kind}))
        expected = Record("Core.DataType", {"name": "Base.#sin"})
        assert load(path) == {"x": expected}


class TestHostileFiles:
    def test_a_changed_byte_is_found(self, handler):
        handler.checkpoint("a", x=numpy.arange(1000.0))
        path = os.path.join(handler.root, "a.jlso")
        with open(path, "r+b") as file:
            file.seek(-100, os.SEEK_END)
            byte = file.read(1)[0]
            file.seek(-100, os.SEEK_END)
            file.write(bytes([byte ^ 1]))
        with pytest.raises(CorruptFileError):
            load(path)
        assert len(checkpoints.verify(handler.root).damaged) == 1

    def test_a_small_file_that_decompresses_to_much(self, tmp_path):
        bomb = zlib.compress(bytes(100 << 20), wbits=31)
        meta = {**METADATA, "version": "3.0.0", "compression": "gzip"}
        meta["manifest"] = zlib.compress(b"", wbits=31)
        path = put(tmp_path, bson({"metadata": meta, "objects": {"x": bomb}}))
        with pytest.raises(TooLargeError):
            load(path, max_bytes="10MB")

    def test_decompression_stops_at_what_bson_can_hold(self, tmp_path, monkeypatch):
        monkeypatch.setattr("checkpoints._files.jlso._LONGEST", 1 << 20)
        bomb = zlib.compress(bytes(2 << 20), wbits=31)
        meta = {**METADATA, "version": "3.0.0", "compression": "gzip"}
        meta["manifest"] = zlib.compress(b"", wbits=31)
        path = put(tmp_path, bson({"metadata": meta, "objects": {"x": bomb}}))
        with pytest.raises(CorruptFileError, match="more than BSON can hold"):
            load(path)

    @pytest.mark.parametrize("version", ["1.0.0", "3.0.0", "4.0.0"])
    def test_bytes_after_the_end_are_found(self, tmp_path, version):
        path = written(tmp_path, {**METADATA, "version": version}, {"x": 1})
        path.write_bytes(path.read_bytes() + b"123456789")
        assert load(path) == {"x": 1}
        (found,) = checkpoints.verify(tmp_path).damaged
        assert "9 bytes of it belong to no object" in str(found)

    @pytest.mark.parametrize("size", [9, 3 << 20])
    def test_bytes_after_the_compressed_data_of_an_object_are_found(
        self, tmp_path, size
    ):
        packed = zlib.compress(bson({"object": 1}), wbits=31) + bytes(size)
        meta = {**METADATA, "version": "3.0.0", "compression": "gzip"}
        meta["manifest"] = zlib.compress(b"", wbits=31)
        path = put(tmp_path, bson({"metadata": meta, "objects": {"x": packed}}))
        told = f"{size:,} bytes follow its compressed data"
        with pytest.raises(CorruptFileError, match=told):
            load(path)
        (found,) = checkpoints.verify(tmp_path).damaged
        assert told in str(found)

    def test_a_text_with_one_wide_character(self, handler):
        handler.checkpoint("a", x="a" * 1_000_000 + "\U0001f600")
        path = os.path.join(handler.root, "a.jlso")
        assert len(load(path, max_bytes=7_000_000)["x"]) == 1_000_001
        with pytest.raises(TooLargeError):
            load(path, max_bytes=4_000_000)

    def test_types_that_contain_themselves_twice_at_each_level(self):
        kind = typed(["Core", "Int64"])
        with pytest.raises(ValueError, match="too large"):
            for _ in range(100):
                kind = typed(["Core", "Tuple"], [kind, kind])

    def test_objects_that_share_their_bytes(self, tmp_path):
        size, values = len(bson({"object": "text"})), {"x": "text", "y": "text"}
        root = {"object-nbytes": integers(size, size)}
        path = written(tmp_path, METADATA, values, **root)
        assert load(path) == values
        start = path.stat().st_size - 2 * size
        root = {"object-pos": integers(start, start)}
        path = written(tmp_path, METADATA, {**values, "y": "text!"}, **root)
        with path.open("r+b") as file:
            file.truncate(start + size + 1)
        with pytest.raises(CorruptFileError, match="overlap"):
            load(path)

    @pytest.mark.parametrize("is_key", [False, True])
    def test_tuples_that_refer_to_the_one_before_twice(self, tmp_path, is_key):
        def reference(number):
            return {"tag": "backref", "ref": number}

        tuples = [
            {"tag": "tuple", "data": [reference(number), reference(number)]}
            for number in range(2, 51)
        ]
        columns = {"data": [[reference(1)], [1]], "tag": "struct"}
        path = ["Main", "Base", "Dict"]
        columns["type"] = {"tag": "datatype", "name": path, "params": []}
        found = columns if is_key else reference(1)
        self.check(tmp_path, [*tuples, "end"], found, "references stand for more")

    def test_references_in_a_circle(self, tmp_path):
        circle = {"tag": "backref", "ref": 1}
        self.check(tmp_path, [[circle]], circle, "contains itself")

    def check(self, folder, references, value, message):
        objects = {"x": plain({"_backrefs": references, "object": value})}
        meta = {**METADATA, "version": "3.0.0"}
        path = put(folder, bson({"metadata": meta, "objects": objects}))
        with pytest.raises(FormatError, match=message):
            load(path)

    def test_documents_nested_without_end(self, tmp_path):
        inner = b"\5\0\0\0\0"
        for _ in range(5000):
            inner = b"\x03a\0" + inner
            inner = struct.pack("<i", len(inner) + 5) + inner + b"\0"
        meta = {**METADATA, "version": "3.0.0"}
        path = put(tmp_path, bson({"metadata": meta, "objects": {"x": inner}}))
        with pytest.raises(FormatError, match="too deep"):
            load(path)

    def test_nested_types_are_no_copies_of_each_other(self, tmp_path):
        inner = plain({"text": "a" * 1_000_000})
        for name in [b"type"] * 100 + [b"object"]:
            inner = b"\x03" + name + b"\0" + inner
            inner = struct.pack("<i", len(inner) + 5) + inner + b"\0"
        meta = {**METADATA, "version": "3.0.0"}
        path = put(tmp_path, bson({"metadata": meta, "objects": {"x": inner}}))
        tracemalloc.start()
        load(path)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 10_000_000

    @pytest.mark.parametrize("values", [[1], [1, 2, 3]])
    def test_a_dict_with_other_numbers_of_keys_and_values(self, values):
        kind = {"tag": "datatype", "params": [], "name": ["Main", "Base", "Dict"]}
        struct = {"tag": "struct", "type": kind, "data": [["a", "b"], values]}
        found = BsonValues(memoryview(plain({"object": struct})), lambda _: None)
        with pytest.raises(ValueError, match="another number of keys than of values"):
            found.value(found.root)

    def test_positions_outside_of_the_file(self, tmp_path):
        for start, size in ((-1, 5), (0, 5), (1 << 40, 5), (900, -1), (900, 1 << 62)):
            root = {"object-pos": integers(start), "object-nbytes": integers(size)}
            path = written(tmp_path, METADATA, {"x": 1}, **root)
            with pytest.raises(CorruptFileError, match="outside"):
                load(path)

    @pytest.mark.parametrize("compression", ["none", "gzip"])
    def test_random_changes_raise_only_what_is_promised(self, tmp_path, compression):
        handler = FileHandler(tmp_path, format="jlso", compression=compression)
        handler.checkpoint("a", {**PLAIN, "array": numpy.arange(6.0).reshape(2, 3)})
        path = tmp_path / "a.jlso"
        whole, chance = path.read_bytes(), random.Random(0)
        for _ in range(300):
            data = bytearray(whole)
            for _ in range(chance.randint(1, 4)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            path.write_bytes(data)
            with suppress(CorruptFileError, FormatError, TooLargeError):
                load(path, max_bytes="64MB")
