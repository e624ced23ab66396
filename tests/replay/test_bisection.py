"""The commit is found from which on a saved call does something else."""

from __future__ import annotations

import json

import pytest

from checkpoints._replay.bisection import bisect_call
from checkpoints._replay.elsewhere import Elsewhere
from checkpoints.errors import ReplayError

TRUSTED = Elsewhere("", {"trusted": True})
SOURCE = """
def fee(qty, rate=2.0):
    return qty * rate
"""
OTHER = SOURCE.replace("* rate", "* rate + 1")


class TestBisection:
    def commits(self, repository):
        """Make 30 commits, of which the 20th changes what the function does."""
        hashes = []
        for number in range(1, 31):
            source = SOURCE if number < 20 else SOURCE.replace("* rate", "* rate + 1")
            if number in (15, 22):
                source = "this is no Python\n"
            hashes.append(repository.commit(f"# {number}\n{source}", f"step {number}"))
        return hashes

    def test_names_the_commit_and_leaves_the_repository_alone(
        self, repository, tmp_path
    ):
        hashes = self.commits(repository)
        entry = repository.call(3)
        steps = list(bisect_call(entry, hashes[0], "HEAD", TRUSTED))
        assert steps[-1].word == "first bad"
        assert steps[-1].commit.endswith("step 20")
        assert len(steps) < 12
        assert repository.git("status", "--porcelain") == ""
        assert repository.git("rev-parse", "HEAD") == hashes[-1]
        assert repository.git("for-each-ref", "refs/bisect") == ""

    def test_takes_an_entry_of_the_good_end_too(self, repository, tmp_path):
        repository.commit(SOURCE, "step 1")
        entry = repository.call(3)
        for number in range(2, 6):
            change = "* rate + 1" if number > 3 else "* rate"
            source = f"# {number}\n{SOURCE.replace('* rate', change)}"
            repository.commit(source, f"step {number}")
        *_, last = bisect_call(entry, "HEAD~4", "HEAD", TRUSTED)
        assert last.commit.endswith("step 4")
        assert last.call["verdict"] == "different"

    def test_of_ends_that_do_the_same_is_an_error(self, repository, tmp_path):
        repository.commit(SOURCE, "one")
        repository.commit(SOURCE + "\n", "two")
        entry = repository.call(3)
        with pytest.raises(ReplayError, match="does what it did at both ends"):
            list(bisect_call(entry, "HEAD~1", "HEAD", TRUSTED))

    def test_of_ends_in_the_wrong_order_is_an_error(self, repository, tmp_path):
        repository.commit(SOURCE, "one")
        repository.commit(SOURCE.replace("* rate", "* rate + 1"), "two")
        entry = repository.call(3)
        with pytest.raises(ReplayError, match="is before the good end, HEAD: exchange"):
            list(bisect_call(entry, "HEAD", "HEAD~1", TRUSTED))

    def test_names_each_commit_that_it_may_be_if_some_cannot_be_tested(
        self, repository, tmp_path
    ):
        repository.commit(SOURCE, "one")
        entry = repository.call(3)
        repository.commit("this is no Python\n", "two")
        repository.commit(SOURCE.replace("* rate", "* rate + 1"), "three")
        *_, skipped, last = bisect_call(entry, "HEAD~2", "HEAD", TRUSTED)
        assert (skipped.word, last.word) == ("maybe", "maybe")
        assert skipped.commit.endswith("two")
        assert "SyntaxError" in skipped.call["why"]
        assert last.commit.endswith("three")
        assert last.call["verdict"] == "different"
        assert len(repository.git("worktree", "list").splitlines()) == 1

    def test_tells_each_step_apart_from_what_another_one_wrote(self, repository):
        writes = """
import pathlib
def fee(qty):
    here = pathlib.Path(__file__).parent
    with open(here / "seen.txt", "a") as seen, open(here / "new.txt", "a") as new:
        seen.write("x")
        new.write("x")
    return qty, len((here / "seen.txt").read_text() + (here / "new.txt").read_text())
"""
        repository.commit(writes, "step 1", files={"src/stand/seen.txt": ""})
        entry = repository.call(3)
        repository.git("checkout", "--quiet", ".")
        repository.git("clean", "--quiet", "-fdx")
        for number in range(2, 7):
            source = (
                writes if number < 5 else writes.replace("qty, len", "qty + 1, len")
            )
            repository.commit(f"{source}# {number}\n", f"step {number}")
        *steps, last = bisect_call(entry, "HEAD~5", "HEAD", TRUSTED)
        assert last.commit.endswith("step 5")
        goods = [it for it in steps if it.word == "good"]
        assert {it.call["verdict"] for it in goods} == {"equal"}

    def test_skips_revisions_in_which_the_function_has_another_name(self, repository):
        renamed = SOURCE.replace("def fee", "def charge")
        sources = [SOURCE, renamed, renamed, SOURCE, OTHER, OTHER]
        for number, source in enumerate(sources, 1):
            repository.commit(f"# {number}\n{source}", f"step {number}")
        entry = repository.call(3)
        before = repository.state()
        *steps, last = bisect_call(entry, "HEAD~5", "HEAD", TRUSTED)
        assert (last.word, last.commit[-6:]) == ("first bad", "step 5")
        for step in steps:
            if step.word == "skip":
                assert "has no 'fee'" in step.call["why"]
        assert repository.state() == before

    def test_finds_the_merge_if_neither_side_does_it_alone(self, repository):
        one = "def fee(qty): from stand.other import X; return qty * X * Y\nY = 1\n"
        repository.commit(one, "base", files={"src/stand/other.py": "X = 1\n"})
        repository.git("checkout", "--quiet", "-b", "side")
        two = one.replace("* Y", "* (Y if X == 1 else 9)")
        repository.commit(one, "side", files={"src/stand/other.py": "X = 1.0\n"})
        repository.git("checkout", "--quiet", "-")
        repository.commit(two.replace("X == 1 ", "type(X) is int "), "main")
        repository.git("merge", "--quiet", "--no-edit", "-m", "merged", "side")
        entry = repository.call(3)
        *_, last = bisect_call(entry, "HEAD~1", "HEAD", TRUSTED)
        assert last.commit.endswith(("merged", "side"))
        *_, last = bisect_call(entry, "HEAD~2", "HEAD", TRUSTED)
        assert last.commit.endswith("merged")

    def test_begins_where_the_ends_have_parted(self, repository):
        repository.commit(SOURCE, "base")
        entry = repository.call(3)
        side = repository.commit(f"# side\n{SOURCE}", "side")
        repository.git("reset", "--quiet", "--hard", "HEAD~1")
        changed = repository.commit(OTHER, "changed")
        more = repository.commit(f"# more\n{OTHER}", "more")
        *_, last = bisect_call(entry, side, more, TRUSTED)
        assert last.commit.endswith("changed")
        repository.git("reset", "--quiet", "--hard", changed)
        mended = repository.commit(SOURCE, "mended")
        with pytest.raises(ReplayError, match="changed, which both ends come from"):
            list(bisect_call(entry, mended, more, TRUSTED))

    def test_needs_a_history_that_the_ends_share(self, repository):
        one = repository.commit(SOURCE, "one")
        entry = repository.call(3)
        repository.git("checkout", "--quiet", "--orphan", "alone")
        two = repository.commit(OTHER, "two")
        with pytest.raises(ReplayError, match="have no commit in common here"):
            list(bisect_call(entry, one, two, TRUSTED))

    def test_skips_a_revision_that_cannot_be_checked_out(self, repository):
        fails = {".gitattributes": "*.txt filter=broken\n", "src/a.txt": "x"}
        broken = "sh -c 'case %f in *a.txt) exit 1;; esac; cat'"
        repository.git("config", "filter.broken.smudge", broken)
        repository.git("config", "filter.broken.clean", "cat")
        repository.git("config", "filter.broken.required", "true")
        repository.commit(SOURCE, "one")
        entry = repository.call(3)
        repository.commit(f"# two\n{SOURCE}", "two", files=fails)
        repository.git("rm", "--quiet", "src/a.txt")
        repository.commit(OTHER, "three")
        *_, skipped, last = bisect_call(entry, "HEAD~2", "HEAD", TRUSTED)
        assert "git reset fails in a temporary worktree" in skipped.call["why"]
        assert [skipped.word, last.word] == ["maybe", "maybe"]

    def test_needs_two_revisions(self, repository):
        repository.commit(SOURCE, "one")
        entry = repository.call(3)
        with pytest.raises(ReplayError, match="are the same revision"):
            list(bisect_call(entry, "HEAD", "HEAD", TRUSTED))

    def test_of_a_shallow_clone_says_so(self, repository, tmp_path, monkeypatch):
        for source in (SOURCE, SOURCE + "\n", OTHER):
            repository.commit(source, "one")
        entry = repository.call(3)
        origin, clone = f"file://{repository.folder}", tmp_path / "clone"
        repository.git("clone", "--quiet", "--depth", "2", origin, str(clone))
        how = TRUSTED._replace(function=str(clone / "src/stand/fees.py:fee"))
        with pytest.raises(ReplayError, match="shallow clone: git fetch --unshallow"):
            list(bisect_call(entry, "HEAD~2", "HEAD", how))
        *_, last = bisect_call(entry, "HEAD~1", "HEAD", how)
        assert last.word == "first bad"


class TestCommand:
    def test_prints_what_is_left_and_exits_with_2(self, repository, command):
        repository.commit(SOURCE, "one")
        repository.commit("this is no Python\n", "two")
        repository.commit(OTHER, "three")
        entry = repository.call(3)
        words = ("bisect", entry.path, "--good", "HEAD~2", "--bad", "HEAD", "--trusted")
        code, out, err = command(*words)
        assert code == 2
        assert " two or " in out.splitlines()[0]
        assert "SyntaxError" in out
        assert "EQUAL" in out
        # It was saved at the bad end.
        assert "differs from the saved call" in err
        _, out, _ = command(*words, "--json")
        assert [it["word"] for it in json.loads(out)][-2:] == ["maybe"] * 2

    def test_bisect_prints_the_steps_and_the_commit(self, repository, command):
        for number in range(1, 5):
            source = SOURCE.replace("* rate", "* rate" if number < 3 else "- rate")
            repository.commit(f"# {number}\n{source}", f"step {number}")
        entry = repository.call(3)
        words = ("bisect", entry.path, "--good", "HEAD~3", "--bad", "HEAD")
        code, out, err = command(*words, "--trusted")
        assert code == 0, err
        assert "step 3" in out.splitlines()[0]
        assert out.startswith("FIRST BAD  ")
        assert err.splitlines()[0].startswith("good       ")
        code, out, _ = command(*words, "--trusted", "--json")
        assert json.loads(out)[-1]["word"] == "first bad"
        code, out, err = command(*words)
        assert (code, out) == (2, "")
        assert "pass --trusted" in err
