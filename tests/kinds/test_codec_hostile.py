"""Forged files: one kind of error, whatever they contain."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkpoints import FormatError, UntrustedError
from checkpoints._kinds.decoder import decode
from checkpoints.errors import CorruptFileError, MissingDependencyError


def read(nodes, members):
    def member(node):
        return memoryview(bytearray(members[node["member"]]))

    return decode(nodes, member, trusted=False, path="some.ckpt.zip")


MARKS = ["$dict", "$tuple", "$set", "$int", "$float", "$complex", "$bytes", "$decimal"]
MARKS += [
    "$uuid",
    "$date",
    "$datetime",
    "$time",
    "$timedelta",
    "$bytearray",
    "$frozenset",
]
MARKS += ["$member", "$compound", "$nothing", "$"]
KINDS = ["json", "text", "bytes", "pickle", "numpy.ndarray", "numpy.scalar", "x", ""]
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
    | st.sampled_from([*KINDS, "m.json", "1e999", "-1", "2024-01-01", "nan"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(MARKS), inner, min_size=1, max_size=1)
    | st.fixed_dictionaries({"$compound": st.sampled_from(KINDS), "parts": inner})
    | st.dictionaries(
        st.sampled_from(["kind", "member", "parts", "shape", "dtype", "order", "a"]),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


class TestHostileFiles:
    def attempt(self, nodes, members):
        # What would need a library that is not here says so first.
        missing = MissingDependencyError
        with suppress(CorruptFileError, FormatError, UntrustedError, missing):
            read(nodes, members)

    @settings(max_examples=400)
    @given(any_json)
    def test_whatever_json_stands_in_a_member_there_is_one_honest_error(self, data):
        members = {"m.json": json.dumps(data).encode()}
        self.attempt({"v": {"kind": "json", "member": "m.json"}}, members)

    @settings(max_examples=200)
    @given(
        st.sampled_from(KINDS), st.dictionaries(st.text(max_size=3), any_json), any_json
    )
    def test_whatever_stands_in_a_node_there_is_one_honest_error(
        self, kind, more, name
    ):
        for node in ({**more, "kind": kind}, {"kind": kind, "member": name, **more}):
            self.attempt({"v": {"member": "m.json", **node}}, {"m.json": b"[1]"})

    @pytest.mark.parametrize(
        "text",
        [
            *(
                '{"$unknown": 1}',
                '{"$member": 3}',
                '{"$member": {}}',
                '{"$compound": 1}',
            ),
            *(
                '{"$member": {"kind": "x", "member": "m"}}',
                '{"$set": [[]]}',
                "{",
                "\xff",
            ),
            *(
                '{"$dict": [1]}',
                '{"$dict": [[[], 1]]}',
                '{"$dict": 5}',
                '{"$tuple": 5}',
            ),
            '{"$datetime": "x"}',
            *(
                '{"$decimal": "x"}',
                '{"$decimal": []}',
                '{"$uuid": 1}',
                '{"$complex": []}',
            ),
            *(
                '{"$timedelta": [1e300]}',
                '{"$bytes": "?"}',
                '{"$int": 5}',
                "[" * 50_000,
            ),
            '{"$member": {"kind": "json", "member": "m"}}',
        ],
        ids=lambda text: text[:40],
    )
    def test_json_that_makes_no_sense_is_told(self, text):
        nodes = {"v": {"kind": "json", "member": "m"}}
        with pytest.raises((CorruptFileError, FormatError), match="'v'"):
            read(nodes, {"m": text.encode("latin1")})

    def test_a_time_zone_that_is_not_known_here_says_what_to_install(self):
        text = b'{"$datetime": ["2024-01-01", "x/y", 0]}'
        with pytest.raises(MissingDependencyError, match="tzdata"):
            read({"v": {"kind": "json", "member": "m"}}, {"m": text})

    @pytest.mark.parametrize("key", ["../../etc/passwd", "/etc", "os.path/x", "", 5])
    def test_a_time_zone_that_is_no_name_of_one_is_never_looked_for(self, key):
        text = json.dumps({"$datetime": ["2024-01-01", key, 0]}).encode()
        with pytest.raises(CorruptFileError, match=r"name of a time zone|expected str"):
            read({"v": {"kind": "json", "member": "m"}}, {"m": text})

    def test_a_value_in_the_header_that_makes_no_sense_is_told(self):
        for value in ({"$int": 1}, {"$nothing": 1}, {"$set": [{}]}, {"$decimal": "x"}):
            with pytest.raises((CorruptFileError, FormatError), match="'v'"):
                read({"v": {"kind": "json", "value": value}}, {})

    @pytest.mark.parametrize("more", [{}, {"member": "other"}, {"member": ["m"]}])
    def test_a_node_without_its_member_is_told(self, more):
        for kind in ("json", "text", "bytes"):
            with pytest.raises(CorruptFileError, match="'v'"):
                read({"v": {"kind": kind, **more}}, {"m": b"1"})

    def test_an_array_that_makes_no_sense_is_told_with_the_file_and_the_value(self):
        pytest.importorskip("numpy", reason="it reads arrays")
        nodes = {"v": {"kind": "numpy.ndarray", "member": "m", "dtype": "<f8"}}
        with pytest.raises(CorruptFileError, match=r"some\.ckpt\.zip.*'v'"):
            read(nodes, {"m": b"no array"})

    def test_a_kind_that_nobody_knows_is_told_with_the_way_out(self):
        with pytest.raises(FormatError, match=r"'v'.*'mypkg\.Model'.*register_format"):
            read({"v": {"kind": "mypkg.Model", "member": "m"}}, {"m": b""})
