"""The memory that this process may take."""

from __future__ import annotations

import pytest

from checkpoints._process.memory import limits_of_groups, most_memory


@pytest.fixture
def groups(tmp_path):
    """Return a function that makes groups, and returns their limits."""

    def groups(lines, **limits):
        names, base = tmp_path / "groups", tmp_path / "base"
        names.write_text(lines)
        for path, limit in limits.values():
            file = base / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{limit}\n")
        return limits_of_groups(str(names), str(base))

    return groups


class TestGroups:
    def test_the_limit_of_each_group_above_counts(self, groups):
        found = groups(
            "0::/a/b\n",
            inner=("a/b/memory.max", "max"),
            outer=("a/memory.max", 500),
            root=("memory.max", 900),
        )
        assert found == [500, 900]

    def test_those_of_the_first_version_count_too(self, groups):
        found = groups(
            "3:cpu:/x\n2:memory,hugetlb:/a\n",
            own=("memory/a/memory.limit_in_bytes", 700),
            other=("memory/x/memory.limit_in_bytes", 1),
        )
        assert found == [700]

    def test_the_root_counts_in_a_container_that_does_not_see_its_own(self, groups):
        limit = ("memory/memory.limit_in_bytes", 700)
        assert groups("2:memory:/docker/0123\n", root=limit) == [700]

    def test_there_are_none_on_other_systems(self, tmp_path):
        assert limits_of_groups(str(tmp_path / "none"), str(tmp_path)) == []

    def test_no_limit_is_above_the_memory_of_the_machine(self):
        assert 0 < most_memory() <= min([most_memory(), *limits_of_groups()])
