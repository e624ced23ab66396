"""Rules from the environment, in separate processes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import checkpoints
from checkpoints import index

LOCATION = Path(checkpoints.__file__).parents[1]


@pytest.fixture
def run(tmp_path):
    """Run a program with environment variables set; return the completed process."""

    def run(program, *options, **variables):
        file = tmp_path / "program.py"
        file.write_text(textwrap.dedent(program))
        ours = {key: it for key, it in os.environ.items() if "CHECKPOINTS" not in key}
        return subprocess.run(
            [sys.executable, *options, str(file)],
            check=False,
            capture_output=True,
            text=True,
            timeout=100,
            cwd=tmp_path,
            env={**ours, "PYTHONPATH": str(LOCATION), **variables},
        )

    return run


@pytest.fixture
def saved(tmp_path):
    """Return what was saved under a folder of the test, by name; it may not exist."""

    def saved(root):
        if not (tmp_path / root).exists():
            return []
        return sorted(entry.name for entry in index(tmp_path / root))

    return saved


SAVING = """
    from checkpoints import checkpoint, config, register, reset, rules, tags
    register("mypkg", ["fit", "load"])
    checkpoint("mypkg.fit", 1)
    checkpoint("mypkg.load", 2)
"""


class TestEnvironment:
    def test_switches_names_on_without_a_change_of_the_program(self, run, saved):
        ended = run(SAVING, CHECKPOINTS="mypkg.fit=out")
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
        assert saved("out") == ["mypkg.fit"]

    @pytest.mark.parametrize("value", ["", " ; "])
    def test_without_a_rule_changes_nothing(self, run, value, tmp_path):
        ended = run(SAVING, CHECKPOINTS=value, CHECKPOINTS_CONFIG="")
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
        assert [file.name for file in tmp_path.iterdir()] == ["program.py"]

    def test_narrows_by_tags_and_counts(self, run, saved):
        program = SAVING + "    with tags(day='monday'): checkpoint('mypkg.fit', 3)\n"
        run(program, CHECKPOINTS="mypkg=out?where=day=mon*|sunday")
        assert saved("out") == ["mypkg.fit"]

    def test_names_a_file_of_rules(self, run, saved, tmp_path):
        (tmp_path / "rules.toml").write_text('[[rules]]\nnames="mypkg"\ntarget="out"')
        run(SAVING, CHECKPOINTS_CONFIG="rules.toml")
        assert saved("out") == ["mypkg.fit", "mypkg.load"]

    def test_that_names_no_file_reads_none(self, run, tmp_path):
        (tmp_path / "checkpoints.toml").write_text('[[rules]]\nnames="mypkg"')
        run(SAVING)
        assert not (tmp_path / ".checkpoints").exists()


class TestOrder:
    def test_the_program_stands_below_the_file_and_that_below_the_text(
        self, run, saved, tmp_path
    ):
        (tmp_path / "rules.toml").write_text(
            '[[rules]]\nnames="a"\ntarget="file"\n[[rules]]\nnames="b"\ntarget="file"'
        )
        run(
            """
            from checkpoints import checkpoint, config
            config("*", "program")
            for name in "abc":
                checkpoint(name, 1)
            """,
            CHECKPOINTS="a=text",
            CHECKPOINTS_CONFIG="rules.toml",
        )
        assert saved("text") == ["a"]
        assert saved("file") == ["b"]
        assert saved("program") == ["c"]

    def test_of_two_rules_in_a_text_the_last_one_counts(self, run, saved):
        run(SAVING, CHECKPOINTS="mypkg=all; mypkg.fit=off")
        assert saved("all") == ["mypkg.load"]

    def test_what_the_text_leaves_out_by_its_tags_falls_to_the_program(
        self, run, saved
    ):
        run(
            """
            from checkpoints import checkpoint, config, tags
            config("a", "program")
            for day in "12":
                with tags(day=day):
                    checkpoint("a", 1)
            """,
            CHECKPOINTS="a=text?where=day=1",
        )
        assert saved("text") == ["a"]
        assert saved("program") == ["a"]

    def test_a_capture_stands_above_all(self, run, tmp_path):
        ended = run(
            """
            from checkpoints import capture, checkpoint
            with capture() as seen:
                checkpoint("a", 1)
            print(list(seen))
            """,
            CHECKPOINTS="a=text",
        )
        assert ended.stdout == "['a']\n"
        assert not (tmp_path / "text").exists()


class TestRules:
    def test_are_shown_with_their_source(self, run):
        ended = run(
            """
            from checkpoints import checkpoint, config, rules
            checkpoint("a", 1)
            config("a", None)
            print(*rules(), sep="\\n")
            """,
            CHECKPOINTS="a=out",
        )
        program, outside = ended.stdout.splitlines()
        assert "from" not in program
        assert outside.endswith("from CHECKPOINTS, rule 1, 'a=out'>")

    def test_outlast_a_reset(self, run, saved):
        run(
            """
            from checkpoints import checkpoint, config, reset, rules
            config("a", "program")
            reset()
            assert [rule.names for rule in rules()] == ["a"]
            checkpoint("a", 1)
            """,
            CHECKPOINTS="a=out",
        )
        assert saved("out") == ["a"]

    def test_that_match_nothing_are_told_with_their_source_and_the_nearest(self, run):
        ended = run(SAVING, CHECKPOINTS="mypkg.ft=out; mypkg.load=out")
        assert ended.stderr == (
            "CHECKPOINTS, rule 1, 'mypkg.ft=out' matched no checkpoint that the "
            "program knows of; did you mean 'mypkg.fit'?\n"
        )

    def test_of_exact_names_are_not_told_before_the_names_can_be_known(self, run):
        assert run(SAVING, CHECKPOINTS="mypkg.fit,mypkg.load=out").stderr == ""


class TestProbes:
    def test_of_a_package_that_imports_the_library_first_are_put_on(
        self, run, saved, tmp_path
    ):
        pytest.importorskip("wrapt")
        package = tmp_path / "mypkg"
        package.mkdir()
        source = "from checkpoints import checkpoint\ndef fit(x): return x"
        (package / "__init__.py").write_text(source)
        run(
            "import mypkg; mypkg.fit(1)",
            CHECKPOINTS="mypkg=out",
            CHECKPOINTS_PROBES="mypkg:fit",
        )
        assert saved("out") == ["mypkg.fit", "mypkg.fit.result"]


class TestCommandLine:
    def test_of_ours_makes_no_rules_so_that_it_can_tell_what_is_wrong_with_them(self):
        variables = {**os.environ, "PYTHONPATH": str(LOCATION), "CHECKPOINTS": "a?b=1"}
        done = subprocess.run(
            [sys.executable, "-m", "checkpoints", "--help"],
            check=False,
            capture_output=True,
            timeout=100,
            env=variables,
        )
        assert (done.returncode, done.stderr) == (0, b"")

    @pytest.mark.parametrize("options", [["-m"], ["-um"], ["-X", "dev", "-Bm"], []])
    def test_of_others_that_runs_a_module_is_none(self, tmp_path, saved, options):
        package = tmp_path / "mypkg"
        package.mkdir()
        (package / "__init__.py").write_text("import checkpoints")
        (package / "__main__.py").write_text(textwrap.dedent(SAVING))
        called = [*options, "mypkg"] if options else ["-mmypkg"]
        subprocess.run(
            [sys.executable, *called],
            check=True,
            timeout=100,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(LOCATION), "CHECKPOINTS": "mypkg=out"},
        )
        assert saved("out") == ["mypkg.fit", "mypkg.load"]

    @pytest.mark.parametrize("folder", [True, False])
    def test_of_somebody_else_that_has_our_name_is_a_program_like_others(
        self, tmp_path, saved, folder
    ):
        file = tmp_path / "bin" / "checkpoints"
        script = file / "__main__.py" if folder else file
        script.parent.mkdir(parents=True)
        script.write_text(textwrap.dedent(SAVING))
        variables = {"PYTHONPATH": str(LOCATION), "CHECKPOINTS": "mypkg.fit=out"}
        subprocess.run(
            [sys.executable, str(file)],
            check=True,
            timeout=100,
            cwd=tmp_path,
            env={**os.environ, **variables},
        )
        assert saved("out") == ["mypkg.fit"]


class TestErrors:
    @pytest.mark.parametrize(
        ("variable", "value", "told"),
        [
            ("CHECKPOINTS", "fine=x; a=x?evry=1", "CHECKPOINTS, rule 2, 'a=x?evry=1'"),
            ("CHECKPOINTS", "fine=x; a=x?every=0", "invalid every=0: expected"),
            ("CHECKPOINTS_CONFIG", "none.toml", "none.toml, which does not exist"),
        ],
    )
    def test_end_the_import_before_anything_is_done(
        self, run, variable, value, told, tmp_path
    ):
        ended = run(SAVING, **{variable: value})
        assert ended.returncode == 1
        assert "checkpoints.errors.ConfigError: " in ended.stderr.splitlines()[-1]
        assert told in ended.stderr.splitlines()[-1]
        assert [file.name for file in tmp_path.iterdir()] == ["program.py"]


class TestProcesses:
    @pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
    def test_follow_the_rules_however_they_are_started(self, run, saved, method):
        if os.name == "nt" and method != "spawn":
            pytest.skip("this system has only spawn")
        ended = run(
            f"""
            import multiprocessing
            from checkpoints import checkpoint, tags

            def work(number):
                with tags(number=number):
                    checkpoint("work", number)

            if __name__ == "__main__":
                context = multiprocessing.get_context("{method}")
                workers = [context.Process(target=work, args=(n,)) for n in range(2)]
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()
            """,
            CHECKPOINTS="work=out/run={run}",
        )
        assert ended.returncode == 0, ended.stderr
        assert saved("out") == ["work", "work"]

    def test_share_the_run(self, run, tmp_path):
        run(
            """
            import subprocess, sys
            from checkpoints import checkpoint
            checkpoint("a", 1)
            code = "from checkpoints import checkpoint; checkpoint('b', 1)"
            subprocess.run([sys.executable, "-c", code], check=True)
            """,
            CHECKPOINTS="a=out/run={run}; b=out/run={run}",
        )
        entries = index(tmp_path / "out")
        assert len(entries) == 2
        assert len({entry.tags["run"] for entry in entries}) == 1


class TestImport:
    def test_loads_no_reader_of_files_where_none_is_asked_for(self, run):
        ended = run("import sys, checkpoints; print('tomllib' in sys.modules)")
        assert ended.stdout == "False\n"
