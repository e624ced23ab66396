"""
Tests for a store or a handler of your own, to run with pytest.

Subclass `StoreTests` or `HandlerTests`, and define its fixture. pytest collects the
tests that the subclass inherits.
"""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from checkpoints import Handler, Key
from checkpoints.storage import Store
from checkpoints.storage._store import Piece

__all__ = ["HandlerTests", "StoreTests"]

_WRITERS = 8
# More than a reader takes in one step.
_LARGE = bytes(range(256)) * 1200
_ODD = (
    "model=%52idge/x%2Fy.ckpt.zip",
    "model=Ridge/x.ckpt.zip",
    "day=mon day/é=ü/a'b.txt",
    "a+b&c=d,e;f@g/~h!i$j(k).txt",
    "%F0%9F%A6%8A.txt",
)


def _put(store: Store, name: str, data: bytes = b"some text", **options: Any) -> str:
    return store.put([name], [(0, data)], len(data), **options)


def _read(store: Store, name: str) -> bytes:
    with store.open(name) as file:
        data = bytearray(file.size)
        assert file.read_into(0, memoryview(data)) == file.size
        return bytes(data)


def _walked(store: Store, **options: Any) -> list[str]:
    """Return the names of all files, in the order of the walk."""
    return [
        "/".join((*folder, file))
        for folder, files in store.walk(**options)
        for file in files
    ]


def _broken_off() -> Iterable[tuple[int, bytes]]:
    yield 0, b"some"
    raise RuntimeError("the value cannot be read any further")


class StoreTests:
    """
    What every store does, as tests.

    Define the fixture `store`, which returns a store whose root has no files yet.

    >>> import pytest
    >>> from checkpoints.storage import LocalStore
    >>> class TestFolder(StoreTests):
    ...     @pytest.fixture
    ...     def store(self, tmp_path):
    ...         return LocalStore(str(tmp_path / "root"))
    """

    @pytest.fixture
    def store(self) -> Store:
        """Return an empty store."""
        raise NotImplementedError("define the fixture `store`")

    def test_what_is_put_is_read(self, store: Store) -> None:
        assert _put(store, "a/b.txt") == "a/b.txt"
        assert _read(store, "a/b.txt") == b"some text"

    def test_pieces_may_come_in_any_order(self, store: Store) -> None:
        pieces: list[Piece] = [
            (5, memoryview(b"text")),
            (0, bytearray(b"some ")),
            (9, b"!"),
        ]
        store.put(["a"], iter(pieces), 10)
        assert _read(store, "a") == b"some text!"

    def test_an_empty_file_is_a_file(self, store: Store) -> None:
        _put(store, "a", b"")
        assert _read(store, "a") == b""
        assert _walked(store) == ["a"]

    def test_a_part_is_read_from_anywhere(self, store: Store) -> None:
        _put(store, "a", _LARGE)
        with store.open("a") as file:
            for start in (0, len(_LARGE) - 16, 70_000, 100, 70_016, 200_000):
                part = bytearray(16)
                assert file.read_into(start, memoryview(part)) == len(part)
                assert part == _LARGE[start : start + 16]

    def test_a_read_beyond_the_end_gives_what_is_there(self, store: Store) -> None:
        _put(store, "a", _LARGE)
        with store.open("a") as file:
            part = bytearray(100)
            assert file.read_into(len(_LARGE) - 7, memoryview(part)) == len(b"249-255")
            assert part[:7] == _LARGE[-7:]
            assert file.read_into(len(_LARGE), memoryview(part)) == 0

    def test_a_mapping_is_the_whole_file_if_there_is_one(self, store: Store) -> None:
        _put(store, "a")
        with store.open("a") as file:
            mapped = file.map()
            assert mapped is None or bytes(mapped) == b"some text"

    def test_the_first_name_that_is_free_is_taken(self, store: Store) -> None:
        names = ["a/1", "a/2", "a/3"]
        taken = [store.put(names, [(0, b"text")], 4) for _ in names]
        assert taken == names

    def test_a_file_is_not_replaced_unless_asked_for(self, store: Store) -> None:
        _put(store, "a", b"first")
        with pytest.raises(FileExistsError):
            _put(store, "a", b"second")
        assert _read(store, "a") == b"first"

    def test_a_file_is_replaced_if_asked_for(self, store: Store) -> None:
        _put(store, "a", b"first", replace=True)
        _put(store, "a", b"a second one", replace=True)
        assert _read(store, "a") == b"a second one"
        assert _walked(store) == ["a"]

    def test_a_large_file_is_replaced_by_a_large_one(self, store: Store) -> None:
        for part in (b"first", b"second"):
            pieces: list[Piece] = [(0, part), (9_000_000, part)]
            store.put(["a"], iter(pieces), 9_000_000 + len(part), replace=True)
            assert _read(store, "a") == part.ljust(9_000_000, b"\0") + part

    def test_of_several_writers_one_creates_a_file(self, store: Store) -> None:
        def write(number: int) -> int:
            try:
                _put(store, "a", b"%d" % number)
            except FileExistsError:
                return 0
            return 1

        with ThreadPoolExecutor(_WRITERS) as pool:
            assert sum(pool.map(write, range(_WRITERS))) == 1

    def test_a_durable_save_is_a_save(self, store: Store) -> None:
        _put(store, "a/b", durable=True)
        assert _read(store, "a/b") == b"some text"

    def test_what_breaks_off_leaves_no_file(self, store: Store) -> None:
        _put(store, "a")
        with pytest.raises(RuntimeError, match="any further"):
            store.put(["b"], _broken_off(), 9)
        assert _walked(store) == ["a"]
        assert store.status("b") is None

    @pytest.mark.parametrize("name", _ODD)
    def test_a_name_with_odd_letters_is_kept(self, store: Store, name: str) -> None:
        _put(store, name)
        assert _walked(store) == [name]
        assert _read(store, name) == b"some text"
        assert store.has(name)

    def test_a_status_tells_size_and_time(self, store: Store) -> None:
        _put(store, "a", _LARGE)
        status = store.status("a")
        assert status is not None
        assert status.size == len(_LARGE)
        with store.open("a") as file:
            assert file.size == len(_LARGE)
            assert file.status == status

    def test_the_statuses_of_many_are_those_of_each(self, store: Store) -> None:
        names = [f"{number % 7}/{number}" for number in range(40)]
        for name in names:
            _put(store, name, name.encode())
        found = store.statuses([*names, "none", "none/0"])
        assert [it and it.size for it in found] == [*map(len, names), None, None]

    def test_another_content_has_another_status(self, store: Store) -> None:
        _put(store, "a", b"first")
        first = store.status("a")
        assert first == store.status("a")
        _put(store, "a", b"again!", replace=True)
        assert store.status("a") != first

    def test_what_is_not_there_has_no_status(self, store: Store) -> None:
        _put(store, "a/b")
        assert store.status("c") is None
        assert store.status("a/c") is None
        assert not store.has("a/c")

    def test_what_is_not_there_cannot_be_opened(self, store: Store) -> None:
        _put(store, "a/b")
        with pytest.raises(FileNotFoundError), store.open("a/c"):
            pass
        with pytest.raises(IsADirectoryError), store.open("a"):
            pass

    def test_a_walk_is_in_the_order_of_segments(self, store: Store) -> None:
        names = ["a/b/c", "a/d", "a", "a-b/x", "b", "a.b"]
        # `a` cannot be a file and a folder in every store.
        for name in names[:2] + names[3:]:
            _put(store, name)
        assert _walked(store) == ["a/b/c", "a/d", "a-b/x", "a.b", "b"]

    def test_a_walk_yields_folders_with_their_files(self, store: Store) -> None:
        for name in ("a/1", "a/2", "a/b/3", "c"):
            _put(store, name)
        assert [(folder, list(files)) for folder, files in store.walk()] == [
            (("a",), ["1", "2"]),
            (("a", "b"), ["3"]),
            ((), ["c"]),
        ]

    def test_a_folder_that_is_not_entered_is_left_out(self, store: Store) -> None:
        days = [f"day={day}/{hour}/x" for day in range(9) for hour in range(2)]
        for name in (*days, "z"):
            _put(store, name)
        asked = []

        def enters(folder: tuple[str, ...]) -> bool:
            asked.append(folder)
            return folder[0] == "day=3" and folder[1:] != ("0",)

        assert _walked(store, enters=enters) == ["day=3/1/x", "z"]
        assert ("day=3", "0") in asked
        assert ("day=4", "0") not in asked

    def test_a_root_without_files_is_not_there(self, store: Store) -> None:
        with pytest.raises(FileNotFoundError):
            store.check_root()
        with pytest.raises(FileNotFoundError):
            _walked(store)
        _put(store, "a")
        store.check_root()

    def test_what_is_deleted_is_gone(self, store: Store) -> None:
        for name in ("a/b", "a/c"):
            _put(store, name)
        store.delete("a/b")
        assert _walked(store) == ["a/c"]
        with pytest.raises(FileNotFoundError):
            store.delete("a/b")

    def test_a_path_begins_with_the_root(self, store: Store) -> None:
        assert store.path_of("a").startswith(store.root)
        _put(store, "a")
        with store.open("a") as file:
            assert file.path == store.path_of("a")

    def test_in_another_process_it_is_the_same_store(self, store: Store) -> None:
        _put(store, "a")
        again = pickle.loads(pickle.dumps(store))  # noqa: S301 - made here
        assert again.root == store.root
        assert _read(again, "a") == b"some text"


class HandlerTests:
    """
    What every handler that saves does, as tests.

    Define the fixture `handler`, which returns a new handler, and `saved`, which
    returns what a handler has saved: values by name, by the path of their key.

    >>> import pytest
    >>> from checkpoints import DictHandler
    >>> class TestDict(HandlerTests):
    ...     @pytest.fixture
    ...     def handler(self):
    ...         return DictHandler()
    ...
    ...     def saved(self, handler):
    ...         return dict(handler)
    """

    @pytest.fixture
    def handler(self) -> Handler:
        """Return a new handler."""
        raise NotImplementedError("define the fixture `handler`")

    def saved(self, handler: Handler) -> Mapping[str, Mapping[str, Any]]:
        """Return what a handler has saved."""
        raise NotImplementedError("define the method `saved`")

    def _flushed(self, handler: Handler) -> dict[str, dict[str, Any]]:
        handler.flush()
        return {path: dict(values) for path, values in self.saved(handler).items()}

    def test_what_is_committed_is_saved(self, handler: Handler) -> None:
        key = Key("shop.total", (("day", "monday"),))
        handler.commit(key, handler.stage(None, {"items": 3, "price": 9.5}))
        expected = {"day=monday/shop/total": {"items": 3, "price": 9.5}}
        assert self._flushed(handler) == expected

    def test_values_that_come_in_pieces_are_saved_as_one(
        self, handler: Handler
    ) -> None:
        staged = handler.stage(None, {"items": 3})
        staged = handler.stage(staged, {"price": 9.5})
        handler.commit(Key("shop.total"), staged)
        assert self._flushed(handler) == {"shop/total": {"items": 3, "price": 9.5}}

    def test_keys_are_kept_apart(self, handler: Handler) -> None:
        for day, price in itertools.product((1, 2), (3, 4)):
            key = Key("shop.total", (("day", day), ("price", price)))
            handler.commit(key, handler.stage(None, {"price": price}))
        assert len(self._flushed(handler)) == len([1, 2]) * len([3, 4])

    def test_values_are_left_as_they_are(self, handler: Handler) -> None:
        values = {"prices": [1, 2], "names": {"a": "b"}}
        handler.commit(Key("shop.total"), handler.stage(None, values))
        handler.flush()
        assert values == {"prices": [1, 2], "names": {"a": "b"}}

    def test_a_value_is_saved_as_it_was_at_the_commit(self, handler: Handler) -> None:
        prices = [1, 2]
        handler.commit(Key("shop.total"), handler.stage(None, {"prices": prices}))
        prices.append(3)
        assert self._flushed(handler) == {"shop/total": {"prices": [1, 2]}}

    def test_several_threads_may_save_at_once(self, handler: Handler) -> None:
        def save(number: int) -> None:
            staged = handler.stage(None, {"number": number})
            handler.commit(Key("shop.total", (("number", number),)), staged)

        with ThreadPoolExecutor(_WRITERS) as pool:
            list(pool.map(save, range(4 * _WRITERS)))
        saved = self._flushed(handler)
        assert sorted(it["number"] for it in saved.values()) == [*range(4 * _WRITERS)]
