"""The result of a walk, in columns: parts of it, and common values."""

from __future__ import annotations

import pytest

from checkpoints._index.listing import Listing
from checkpoints.storage import LocalStore

PATHS = ["a=1/x/f.ckpt.zip", "a=1/x/g.ckpt.zip", "a=2/x/f.ckpt.zip", "h.ckpt.zip"]


@pytest.fixture
def listing(tmp_path):
    for path in PATHS:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("text")
    return Listing.of(LocalStore(str(tmp_path)), (), [], all_files=False)


def below_root(listing):
    return list(listing.stored_names())


class TestListing:
    def test_files_are_in_order_each_with_its_folder(self, listing):
        assert below_root(listing) == PATHS
        assert [entry.path for entry in listing] == list(listing.paths())
        assert listing.entry(-1).path == list(listing.paths())[-1]
        assert listing.fullnames() == ["x.f", "x.g", "x.f", "h"]

    def test_files_of_one_name_share_its_text(self, listing):
        assert listing.files[0] is listing.files[2]
        names = listing.fullnames()
        assert names[0] is names[2]

    def test_any_part_can_be_taken_in_any_order(self, listing):
        assert below_root(listing.picked([3, 0])) == [PATHS[3], PATHS[0]]
        assert below_root(listing.sliced(slice(None, None, -2))) == [PATHS[3], PATHS[1]]
        assert len(listing.picked([])) == 0

    def test_a_compact_part_has_its_own_folders_only(self, listing):
        part = listing.picked([3, 2]).compact()
        assert part.folders == [(), ("a=2", "x")]
        assert below_root(part) == [PATHS[3], PATHS[2]]
        assert listing.compact() is listing

    def test_paths_are_those_that_the_store_has_for_its_names(self, listing, tmp_path):
        assert list(listing.paths()) == [str(tmp_path / path) for path in PATHS]
