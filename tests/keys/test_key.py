"""Keys and paths: nothing leaves the root, nothing collides, everything comes back."""

from __future__ import annotations

import copy
import datetime
import ntpath
import pickle
import posixpath
import re
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from checkpoints import ConfigError, FileHandler, Key, index, tags
from checkpoints._keys.entry_tags import Tags
from checkpoints._keys.key import SUFFIXES, parse_folder
from checkpoints._keys.spelling import caseless, readable
from checkpoints._process.origin import Origin

DEVICES = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"} | {
    f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"
}
CUT = re.compile(r"~[0-9a-f]{32}(=|$)")
LONGEST_ENDING = len(".1234567890") + max(map(len, SUFFIXES.values()))

# What somebody, somewhere, has been caught by.
SNARES = [
    *("/", "\\", "..", "...", ".", "\0", " ", "a ", "a.", "-", "--help", "~", "~root"),
    *("CON", "con", "Nul", "aux.txt", "COM1", "com1.tar.gz", "LPT¹", "CONIN$", "C:"),
    *("%", "%2F", "%2f", "%25", "%zz", "a%", "=", "==", "a=b", "+", "&", "*", "?", "|"),
    *(
        "é",
        "e\u0301",
        "ß",
        "SS",
        "ss",
        "İ",
        "i",
        "I",
        "\u0131",
        "ﬁ",
        "fi",
        "Å",
        "\u212b",
    ),
    *(
        "\ud800",
        "\udfff",
        "\ud83d\ude00",
        "😀",
        "\ufeff",
        "\u202e",
        "\n",
        "\r\n",
        "\x7f",
    ),
    *(
        "checkpoint.json",
        ".ckpt.zip",
        "a.ckpt.zip",
        ".1-a-0.ckpt.tmp",
        "$HOME",
        "{run}",
    ),
]

any_character = st.characters(exclude_categories=())
any_text = st.one_of(
    st.sampled_from(SNARES),
    st.text(any_character, max_size=12),
    st.text(st.sampled_from("aA%2Ff.~=-é \ud800/"), max_size=8),
    st.builds(
        lambda text, count, end: text * count + end,
        st.text(any_character, min_size=1, max_size=2),
        st.integers(1, 300),
        st.sampled_from(["", "a", "b", ".", " "]),
    ),
)
tag_names = any_text.map(lambda text: text.replace("=", "") or "t")
tag_sets = st.lists(st.tuples(tag_names, any_text), max_size=3).map(tuple)
parts = any_text.map(lambda text: text.replace(".", "") or "p")
names = st.lists(parts, min_size=1, max_size=3).map(".".join)


def relatives(name, pairs):
    """The key, and similar keys that careless encoding would confuse with it."""
    changes = [
        str.upper,
        str.lower,
        str.casefold,
        lambda text: unicodedata.normalize("NFC", text),
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: unicodedata.normalize("NFKC", text),
        lambda text: text.rstrip(" ."),
        lambda text: text + "~",
        lambda text: text[:-1],
        lambda text: text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
    ]
    yield name, pairs
    for change in changes:
        changed = tuple((change(key), change(value)) for key, value in pairs)
        yield name, changed
        yield change(name), pairs
    if pairs:
        yield name, pairs[1:]
        yield name, pairs[::-1]
        yield name, (*pairs, pairs[-1])
        yield f"{pairs[0][0]}.{name}", pairs[1:]
        yield name, ((pairs[0][0] + pairs[0][1][:1], pairs[0][1][1:]), *pairs[1:])


def keys_of(given_keys):
    """The valid keys among these; some similar keys have an invalid name."""
    for name, pairs in given_keys:
        with suppress(ConfigError):
            yield Key(name, pairs)


def folded(path):
    """The path as the least precise file system stores it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())


def assert_harmless(segment):
    """Check one folder or file name against what file systems reject."""
    assert segment.isascii()
    assert segment
    assert len(segment) + LONGEST_ENDING <= 255
    assert not re.search(r"[\x00-\x1f\x7f<>:\"/\\|?*]", segment)
    assert segment[0] not in ".- "
    assert segment[-1] not in ". "
    assert segment.partition(".")[0].rstrip().upper() not in DEVICES


def assert_inside(path):
    """Check that a path stays below every root, segment by segment."""
    for segment in path.split("/"):
        assert_harmless(segment)
    assert posixpath.normpath(f"/base/{path}") == f"/base/{path}"
    windows = "C:\\root\\" + path.replace("/", "\\")
    assert ntpath.normpath(windows) == windows


def assert_comes_back(key, path):
    """Check that a path contains the text of the key, in full or cut."""
    segments = path.split("/")
    found_tags, found_parts = parse_folder(segments)
    true_texts = [*key.tags, *key.name.split(".")]
    for segment, found, true in zip(
        segments, [*found_tags.items(), *found_parts], true_texts, strict=True
    ):
        if "~" not in segment:
            assert found == true
        else:
            assert CUT.search(segment)
            assert len("".join(true).encode("utf-8", "surrogatepass")) > 30


def through_pickle(value):
    return pickle.loads(pickle.dumps(value))


class TestGrammar:
    @settings(max_examples=1000)
    @given(names, tag_sets)
    @example("a.b", (("a", "b"), ("A", "B"), ("a", "")))
    @example("é", (("e\u0301", "\ud83d\ude00"),))
    def test_none_leaves_the_root_each_comes_back_and_no_two_collide(self, name, pairs):
        """Each example is a key and about twenty similar keys."""
        keys = set(keys_of(relatives(name, pairs)))
        for key in keys:
            for path in (key.path, caseless(key.path)):
                assert_inside(path)
                assert_comes_back(key, path)
        assert len({key.path for key in keys}) == len(keys)
        assert len({folded(caseless(key.path)) for key in keys}) == len(keys)

    @settings(max_examples=300)
    @given(names, tag_sets)
    @example("coN.Nul", (("LPT1.x", "A" * 200 + "/%41"),))
    def test_each_spelling_is_made_of_the_other_and_both_are_read_alike(
        self, name, pairs
    ):
        path = Key(name, pairs).path
        assert readable(caseless(path)) == readable(path) == path
        assert caseless(caseless(path)) == caseless(path)
        folders = [spelled.split("/") for spelled in (path, caseless(path))]
        assert parse_folder(folders[0]) == parse_folder(folders[1])

    @settings(max_examples=200)
    @given(st.sets(st.tuples(names, tag_sets), min_size=2, max_size=30))
    def test_no_two_keys_of_any_set_share_a_path(self, drawn):
        paths = {Key(*one).path for one in drawn}
        assert len(paths) == len(drawn)
        assert len({folded(caseless(path)) for path in paths}) == len(drawn)


class TestKnownKeys:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("AC/DC", "AC%2FDC"),
            ("01", "01"),
            ("1", "1"),
            (1, "1"),
            (1.0, "1.0"),
            (True, "True"),
            (None, "None"),
            ("", ""),
            ("..", ".%2E"),
            ("a=b", "a%3Db"),
            ("a b", "a%20b"),
            ("50%", "50%25"),
            ("\0", "%00"),
            ("ü", "%C3%BC"),
            ("\ud800", "%ED%A0%80"),
            ("con", "con"),
            ("%52", "%2552"),
            ("v1.2.", "v1.2%2E"),
            (datetime.date(2024, 2, 29), "2024-02-29"),
            (datetime.time(1, 2), "01%3A02%3A00"),
            (datetime.datetime(2024, 2, 29, 12, 30), "2024-02-29T12%3A30%3A00"),
            (
                datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC),
                "2024-02-29T00%3A00%3A00%2B00%3A00",
            ),
        ],
    )
    def test_a_tags_value_is_this_text(self, value, text):
        assert Key("x", (("t", value),)).path == f"t={text}/x"

    @pytest.mark.parametrize(
        ("name", "path"),
        [
            ("fit", "fit"),
            ("mypkg.fit", "mypkg/fit"),
            ("my-pkg.fit_2", "my-pkg/fit_2"),
            ("con", "%63on"),
            ("CON", "%43%4F%4E"),
            ("MyPkg.Fit", "MyPkg/Fit"),
            ("nul.fit", "%6Eul/fit"),
            ("-fit", "%2Dfit"),
            ("a/b", "a%2Fb"),
            ("a=b", "a%3Db"),
            ("../up", None),
        ],
    )
    def test_a_name_is_this_path(self, name, path):
        if path is None:
            with pytest.raises(ConfigError):
                Key(name)
        else:
            assert Key(name).path == path

    def test_a_tag_named_like_a_device_is_none(self):
        assert Key("x", (("con.a", "1"),)).path == "%63on.a=1/x"

    def test_tags_stand_before_the_name_and_in_their_order(self):
        key = Key("p.n", (("b", 1), ("a", 2), ("b", 3)))
        assert key.path == "b=1/a=2/b=3/p/n"

    @pytest.mark.parametrize("name", ["", ".", "a.", ".a", "a..b", None, 1, b"a"])
    def test_what_is_no_name_is_told(self, name):
        with pytest.raises(ConfigError, match="invalid checkpoint name"):
            Key(name)

    @pytest.mark.parametrize("name", ["", "a=b", 1])
    def test_what_is_no_tag_is_told(self, name):
        with pytest.raises(ConfigError, match="invalid tag name"):
            Key("x", ((name, 1),))

    def test_the_origin_makes_no_two_keys_of_one(self):
        one, other = Key("x", (), "here"), Key("x", (), "there")
        assert one == other
        assert hash(one) == hash(other)

    def test_it_equals_no_key_of_another_name_or_tags_and_nothing_else(self):
        key = Key("x", (("a", 1),))
        assert key == Key("x", (("a", 1),))
        assert key not in [Key("y", (("a", 1),)), Key("x"), ("x", (("a", 1),)), "x"]
        assert repr(key) == "Key(name='x', tags=(('a', 1),))"

    def test_it_cannot_be_changed(self):
        key = Key("x")
        with pytest.raises(
            AttributeError, match="cannot set 'name': a Key is immutable"
        ):
            key.name = "y"
        with pytest.raises(
            AttributeError, match="cannot delete 'tags': a Key is immutable"
        ):
            del key.tags
        assert key == Key("x")

    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, through_pickle])
    def test_a_copy_of_it_is_the_same_with_its_origin(self, copied):
        origin = Origin.here()
        key = copied(Key("x", (("day", datetime.date(2026, 3, 2)),), origin))
        assert key == Key("x", (("day", datetime.date(2026, 3, 2)),))
        assert key.origin == origin

    def test_it_tells_its_name_and_tags_in_words(self):
        assert str(Key("x")) == "'x'"
        assert str(Key("p.x", (("a", 1), ("b", 2)))) == "'p.x' [a=1, b=2]"


class TestLongTexts:
    @pytest.mark.parametrize("letter", ["a", "A", "ü", "😀", "\ud800", "."])
    def test_they_are_cut_and_told_apart_by_their_ends(self, letter):
        keys = [Key("x", (("t", letter * 400 + end),)) for end in "ab"]
        keys += [Key(f"p{letter * 400}{end}") for end in "ab" if letter != "."]
        keys += [Key("x", ((letter * 400 + end, "v"),)) for end in "ab"]
        assert len({key.path for key in keys}) == len(keys)
        for key in keys:
            assert CUT.search(key.path.removesuffix("/x").removesuffix("=v"))

    def test_a_cut_value_still_begins_as_it_did(self):
        found, _ = parse_folder([f"t={'%C3%BC' * 30}"])
        assert found.items() == (("t", "ü" * 30),)
        path = Key("x", (("t", "ü" * 300),)).path
        found, _ = parse_folder(path.split("/")[:1])
        assert found["t"].startswith("ü" * 20)
        assert CUT.search(found["t"])

    def test_the_longest_that_fits_is_not_cut(self):
        lengths = [n for n in range(300) if "~" not in Key("a" * (n + 1)).path]
        assert lengths == list(range(len(lengths)))
        assert len(lengths) > 200


class TestFolders:
    def test_what_was_never_escaped_comes_back_as_it_is(self):
        found = parse_folder(["plain", "Other Folder", "k=v", "100%", "=x", "%FF"])
        assert found == (
            Tags([("k", "v")]),
            ("plain", "Other Folder", "100%", "=x", "\ufffd"),
        )

    def test_the_first_equals_sign_separates(self):
        assert parse_folder(["a=b=c"]) == (Tags([("a", "b=c")]), ())

    @pytest.mark.parametrize("snare", [snare for snare in SNARES if len(snare) < 40])
    def test_every_snare_is_saved_to_a_file_and_found_again(self, snare, tmp_path):
        name = snare.replace(".", "") or "p"
        tag = snare.replace("=", "") or "t"
        with tags((tag, snare), ("also", snare)):
            FileHandler(tmp_path).checkpoint(f"{name}.{name}", 1)
        (entry,) = index(tmp_path)
        assert entry.tags.items() == ((tag, snare), ("also", snare))
        assert (entry.prefixes, entry.stem) == ((name,), name)
        assert entry.name == f"{name}.{name}"
        assert entry.load() == {"data": 1}
