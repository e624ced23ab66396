"""`checkpoints run`: real programs, their exit codes, and what they save."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import checkpoints
from checkpoints import FileHandler, index, runs

pytest.importorskip("click", reason="it reads the arguments")
pytest.importorskip("rich", reason="the command line needs it")

SOURCES = str(Path(checkpoints.__file__).parents[1])
OURS = [sys.executable, "-m", "checkpoints"]
POSIX = pytest.mark.skipif(os.name == "nt", reason="it has other signals")

PROGRAM = """
import sys
from checkpoints import checkpoint, register, tags
register("mypkg", ["fit", "load"])
for fold in range(3):
    with tags(fold=fold):
        checkpoint("mypkg.fit", fold)
print("out", *sys.argv[1:])
print("err", file=sys.stderr)
sys.exit(3)
"""

WORKERS = """
import multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor
import checkpoints

def save(number):
    with checkpoints.tags(number=number):
        checkpoints.checkpoint("mypkg.fit", number)

if __name__ == "__main__":
    kind, method = sys.argv[1:]
    context = multiprocessing.get_context(method)
    if kind == "pool":
        pool = context.Pool(2)
        pool.map(save, range(4))
        pool.close()
        pool.join()
    elif kind == "executor":
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            list(pool.map(save, range(4)))
    elif kind == "process":
        workers = [context.Process(target=save, args=(it,)) for it in range(4)]
        [worker.start() for worker in workers]
        [worker.join() for worker in workers]
    else:
        for number in range(4):
            if not os.fork():
                save(number)
                sys.exit()
            os.wait()
"""

ENDLESS = """
import time
from checkpoints import checkpoint, tags

number = 0
try:
    while True:
        with tags(number=number):
            checkpoint("mypkg.fit", number)
        number += 1
        if number == 3:
            print("ready", flush=True)
        time.sleep(0.01)
except KeyboardInterrupt:
    try:
        print(number, flush=True)
        while {stubborn}:
            time.sleep(0.01)
    except KeyboardInterrupt:
        print("again", flush=True)
    raise
"""


def environment(**variables):
    ours = {key: it for key, it in os.environ.items() if "CHECKPOINTS" not in key}
    return {**ours, "PYTHONPATH": SOURCES, **variables}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "program.py").write_text(PROGRAM)
    return tmp_path


@pytest.fixture
def run(folder):
    """Run our command line in the folder of the test."""

    def run(*arguments, **variables):
        return subprocess.run(
            [*OURS, "run", *arguments],
            cwd=folder,
            env=environment(**variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    return run


def names_under(root):
    return sorted(entry.name for entry in index(root))


class TestCompiled:
    def test_a_module_of_c_is_told_before_the_program_starts(self, run, folder):
        pytest.importorskip("wrapt")
        (folder / "program.py").write_text("import sys; sys.stderr.write('started')")
        done = run("--probe", "_elementtree:SubElement", "--", "program.py")
        told = done.stderr.partition("started")[0]
        assert "_elementtree is compiled: what can be replaced in it" in told
        done = run("--probe", "json:dumps", "--probe", "json.*:*", "--", "program.py")
        assert "is compiled" not in done.stderr


class TestProgram:
    def test_gets_its_arguments_as_they_are_and_keeps_its_exit_code(self, run):
        done = run("mypkg", "--quiet", "--", "program.py", "--rule", "x y", "--")
        assert done.returncode == 3
        assert done.stdout == "out --rule x y --\n"
        assert done.stderr == "err\n"

    def test_starts_after_it_is_told_that_there_are_no_rules(self, run):
        program = "import sys; sys.stderr.write('it started')"
        done = run("--", sys.executable, "-c", program)
        assert "no rules given" in done.stderr.partition("it started")[0]
        assert done.stderr.endswith("it started")

    def test_may_be_a_module(self, run):
        done = run("mypkg=out", "--", "-m", "program", "x")
        assert (done.returncode, done.stdout) == (3, "out x\n")
        assert names_under("out") == ["mypkg.fit"] * 3

    def test_may_be_code(self, run):
        done = run("a=out", "--", "-c", "import checkpoints as c; c.checkpoint('a', 1)")
        assert done.returncode == 0
        assert names_under("out") == ["a"]

    def test_may_be_a_command_whose_children_follow(self, run):
        command = f"{sys.executable} program.py; exit 7"
        done = run("mypkg=out", "--", "sh", "-c", command)
        assert done.returncode == 7
        assert names_under("out") == ["mypkg.fit"] * 3

    def test_is_of_one_run_with_all_its_children(self, run):
        command = f"{sys.executable} program.py; {sys.executable} program.py"
        run("mypkg=out/run={run}?if_exists=keep", "--", "sh", "-c", command)
        entries = index("out")
        assert len(entries) == 6
        assert len({entry.tags["run"] for entry in entries}) == 1

    def test_reads_our_input(self, folder):
        code = "import sys; print(sys.stdin.read())"
        done = subprocess.run(
            [*OURS, "run", "--", "-c", code],
            input="typed",
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=100,
        )
        assert done.stdout == "typed\n"

    @POSIX
    def test_ended_by_a_signal_gives_its_number_and_128(self, run):
        done = run("mypkg", "--", "sh", "-c", "kill -9 $$")
        assert done.returncode == 128 + 9

    @POSIX
    def test_that_was_killed_has_the_saves_that_it_made(self, run, folder):
        (folder / "die.py").write_text(
            "import os, checkpoints\n"
            "checkpoints.checkpoint('mypkg.fit', 1)\n"
            "os.kill(os.getpid(), 9)\n"
        )
        run("mypkg", "--", "die.py")
        (listed,) = runs(folder / ".checkpoints")
        assert (listed.state, dict(listed.saves)) == ("failed", {})
        assert len(listed.entries()) == 1

    @pytest.mark.parametrize("options", [[], ["--quiet"]])
    def test_with_nothing_switched_on_is_as_without_us(self, run, folder, options):
        (folder / "show.py").write_text(
            "import os, sys\nprint(sorted(os.environ), sys.path, sys.argv)\n"
            "print('err', file=sys.stderr)\nsys.exit(5)"
        )
        alone = subprocess.run(
            [sys.executable, "show.py", "x"],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        done = run(*options, "--", "show.py", "x")
        assert done.returncode == alone.returncode
        assert done.stdout == alone.stdout
        ours = [it for it in done.stderr.splitlines() if it.startswith("checkpoints: ")]
        assert len(ours) == (not options)
        assert done.stderr.removeprefix("".join(f"{it}\n" for it in ours)) == (
            alone.stderr
        )


class TestRules:
    def test_of_the_command_line_stand_above_the_environment_and_that_above_the_file(
        self, run, folder
    ):
        rules = [f'[[rules]]\nnames="{name}"\ntarget="file"\n' for name in "abc"]
        (folder / "rules.toml").write_text("".join(rules))
        (folder / "program.py").write_text(
            "from checkpoints import checkpoint, config\nconfig('*', 'program')\n"
            "for name in 'abcd': checkpoint(name, 1)"
        )
        variables = {"CHECKPOINTS": "a=text; b=text"}
        run("a=line", "--config", "rules.toml", "--", "program.py", **variables)
        assert names_under("line") == ["a"]
        assert names_under("text") == ["b"]
        assert names_under("file") == ["c"]
        assert names_under("program") == ["d"]

    def test_may_be_given_by_an_option_as_well(self, run):
        run("--rule", "mypkg=a?limit=1", "--rule", "x=b", "--", "program.py")
        assert names_under("a") == ["mypkg.fit"]

    def test_save_where_we_were_started_wherever_a_child_is(self, run, folder):
        (folder / "below").mkdir()
        command = f"cd below; {sys.executable} ../program.py"
        run("mypkg=out", "--", "sh", "-c", command)
        assert names_under("out") == ["mypkg.fit"] * 3

    def test_without_a_target_save_to_a_folder_of_the_run(self, run):
        run("mypkg", "--", "program.py", CHECKPOINTS_RUN="nightly")
        assert names_under(".checkpoints/run=nightly") == ["mypkg.fit"] * 3

    def test_of_a_file_without_a_target_save_there_as_well(self, run, folder):
        (folder / "rules").mkdir()
        (folder / "rules" / "r.toml").write_text("[[rules]]\nnames = 'mypkg'")
        arguments = ["--config", "rules/r.toml", "--", "program.py"]
        run("--to", "given", *arguments)
        run(*arguments, CHECKPOINTS_TO="known")
        for root in ("given", "known"):
            assert set(names_under(root)) == {"mypkg.fit"}
        run(*arguments)
        (root,) = (folder / ".checkpoints").iterdir()
        assert set(names_under(root)) == {"mypkg.fit"}

    def test_without_a_target_save_to_the_root_that_is_given(self, run):
        run("mypkg", "--to", "there", "--", "program.py")
        assert names_under("there") == ["mypkg.fit"] * 3


class TestRunsOfTheirOwn:
    def test_each_has_a_folder_of_its_own(self, run, folder):
        for _ in range(2):
            run("mypkg", "--", "program.py")
        assert len(list((folder / ".checkpoints").iterdir())) == 2
        assert len(checkpoints.runs(folder / ".checkpoints")) == 2

    def test_may_have_a_name(self, run, folder):
        run("mypkg", "--name", "before-upgrade", "--", "program.py")
        run("mypkg", "--", "program.py", CHECKPOINTS_NAME="after")
        found = checkpoints.runs(folder / ".checkpoints")
        assert [it.name for it in found] == ["before-upgrade", "after"]

    def test_may_have_a_name_together_with_probes(self, run, folder):
        words = ("--probe", "json:dumps", "--name", "before-upgrade")
        run("mypkg", *words, "--", "program.py")
        (found,) = checkpoints.runs(folder / ".checkpoints")
        assert found.name == "before-upgrade"

    @pytest.mark.parametrize("name", ["a b", "a@b", "~1", "a/b", "last", "-x"])
    def test_a_name_that_could_not_be_typed_after_a_root_is_refused(self, run, name):
        done = run("mypkg", f"--name={name}", "--", "program.py")
        assert done.returncode == 2
        assert "is not a name for a run" in done.stderr

    def test_say_so_if_another_has_the_same_name(self, run):
        words = ("mypkg", "--name", "up", "--", "program.py")
        assert "are named" not in run(*words).stderr
        assert "are named" not in run("mypkg", "--", "program.py").stderr
        said = "2 runs are named up: @up is the last, @up~1 the one before"
        assert said in run(*words).stderr

    def test_say_so_if_they_replace_files_of_another(self, run, folder):
        words = ["mypkg=out", "--json", "s.json", "--", "program.py"]
        assert "replaced" not in run(*words).stderr
        told = run(*words).stderr
        assert told.count("3 files of an earlier run replaced, under out") == 1
        assert " run={run}," in told
        assert json.loads((folder / "s.json").read_text())["replaced"] == 3

    def test_say_nothing_of_files_that_stay(self, run, folder):
        FileHandler(folder / "out").checkpoint("mypkg.other", 1)
        assert "replaced" not in run("mypkg=out", "--", "program.py").stderr


class TestSummary:
    def test_says_what_was_saved_where_and_what_to_type_next(self, run):
        done = run("mypkg", "--", "program.py", CHECKPOINTS_RUN="nightly")
        told, name, following = done.stderr.removeprefix("err\n").splitlines()
        assert told.startswith("checkpoints: saved 3 files, ")
        assert told.endswith(f"under {os.path.join('.checkpoints', 'run=nightly')}")
        assert name.split() == ["mypkg.fit", "3"]
        assert following == "Next: checkpoints ls .checkpoints/run=nightly"

    def test_counts_a_file_once_where_one_root_lies_in_another(self, run):
        rules = ["mypkg=out", "mypkg.fit=out/fit"]
        done = run(*rules, "--", "program.py")
        assert "saved 3 files" in done.stderr
        assert "mypkg.fit  3" in done.stderr

    def test_counts_nothing_that_was_there_before(self, run):
        run("mypkg=out", "--", "program.py")
        done = run("x=out", "--", "program.py")
        assert "checkpoints: saved nothing" in done.stderr

    def test_knows_a_root_that_each_process_fills_in(self, run):
        done = run("mypkg=out/pid={pid}/{time}", "--", "program.py")
        assert "saved 3 files" in done.stderr

    def test_tells_a_name_that_is_not_there_with_its_rule_and_the_nearest_once(
        self, run
    ):
        command = (
            f"{sys.executable} -c 'import checkpoints'; {sys.executable} program.py"
        )
        done = run("mypkg.ft", "--", "sh", "-c", command)
        assert done.stderr.count("'mypkg.ft'") == 1
        assert "command line, rule 1, 'mypkg.ft' matched no checkpoint" in done.stderr
        assert "did you mean 'mypkg.fit'?" in done.stderr
        assert "checkpoints available PACKAGE" in done.stderr

    def test_tells_it_beside_what_was_saved(self, run):
        done = run("mypkg", "mypgk.x=y", "--", "program.py")
        assert "saved 3 files" in done.stderr
        assert "rule 2, 'mypgk.x=y' matched no checkpoint" in done.stderr

    def test_says_nothing_of_a_rule_that_one_of_the_processes_had_a_use_for(self, run):
        command = (
            f"{sys.executable} program.py; {sys.executable} -c 'import checkpoints'"
        )
        done = run("mypkg", "--", "sh", "-c", command)
        assert "matched no" not in done.stderr

    @POSIX
    @pytest.mark.parametrize(
        "way",
        [
            *("pool fork", "pool spawn", "executor fork", "executor spawn"),
            *("process fork", "process spawn", "os.fork fork"),
        ],
    )
    def test_knows_what_became_of_the_saves_of_workers(self, run, folder, way):
        (folder / "workers.py").write_text(WORKERS)
        ended = run(
            "--json", "told.json", "mypkg=out", "--", "workers.py", *way.split()
        )
        assert ended.stderr.splitlines()[1:-1] == ["  mypkg.fit  4"]
        told = json.loads((folder / "told.json").read_text())
        assert told["outcomes"] == {"saved": 4}
        assert told["processes"] > 1

    def test_tells_tags_that_no_call_had(self, run):
        done = run("mypkg?where=fold=9", "--", "program.py")
        assert "no call had the tags" in done.stderr

    def test_tells_that_the_program_never_loaded_the_library(self, run):
        done = run("mypkg", "--", "-c", "pass")
        assert "the program did not import checkpoints" in done.stderr

    def test_tells_of_saves_that_failed(self, run, folder):
        (folder / "program.py").write_text(
            "import checkpoints as c, os\nopen('out', 'w').close()\n"
            "c.checkpoint('mypkg.fit', 1)"
        )
        done = run("mypkg=out", "--", "program.py")
        assert done.returncode == 0
        assert "1 save failed" in done.stderr

    def test_is_written_as_json_on_request(self, run, folder):
        done = run("mypkg=out", "--quiet", "--json", "x.json", "--", "program.py")
        told = json.loads((folder / "x.json").read_text())
        assert done.stderr == "err\n"
        assert told["exit_code"] == 3
        assert told["names"] == {"mypkg.fit": 3}
        assert told["outcomes"] == {"saved": 3}
        assert told["roots"] == [str(folder / "out")]
        assert told["files"] == 3
        assert told["processes"] == 1

    @POSIX
    def test_that_cannot_be_written_leaves_the_exit_code_as_it_is(self, run):
        if not os.path.exists("/dev/full"):
            pytest.skip("there is no device that is full")
        done = run("--json", "/dev/full", "mypkg", "--", "program.py")
        assert done.returncode == 3
        assert "cannot write the summary: [Errno 28]" in done.stderr
        assert "saved 3 files" in done.stderr

    @POSIX
    def test_that_nobody_reads_leaves_the_exit_code_as_it_is(self, folder):
        receiver, sender = os.pipe()
        os.close(receiver)
        done = subprocess.run(
            [
                *OURS,
                "run",
                "mypkg",
                "--",
                "-c",
                "import checkpoints; raise SystemExit(3)",
            ],
            env=environment() | {"PYTHONUNBUFFERED": ""},
            stderr=sender,
            check=False,
            timeout=100,
        )
        os.close(sender)
        assert done.returncode == 3

    def test_leaves_no_folder_behind(self, run, folder):
        temporary = folder / "tmp"
        temporary.mkdir()
        run("mypkg", "--", "program.py", TMPDIR=str(temporary))
        assert list(temporary.iterdir()) == []


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "code", "told"),
        [
            (["mypkg"], 2, "no program given; put it after --"),
            (["mypkg", "--"], 2, "no program given; put it after --"),
            (["mypkg", "--", "none.py"], 2, "script 'none.py' does not exist"),
            (
                ["mypkg", "--", "no-such-command"],
                127,
                "command 'no-such-command' not found",
            ),
            (
                ["a=x?evry=1", "--", "mark.py"],
                2,
                "rule 1, 'a=x?evry=1': unknown option 'evry'",
            ),
            (["a=x?every=0", "--", "mark.py"], 2, "every=0"),
            (["a=mark.py", "--", "mark.py"], 2, "is not a folder"),
            (["--to", "mark.py/x", "a", "--", "mark.py"], 2, "is not a folder"),
            (["--config", "none.toml", "--", "mark.py"], 2, "which does not exist"),
            (
                ["--config", "bad.toml", "--", "mark.py"],
                2,
                "bad.toml, line 2: invalid every=",
            ),
            (["--json", "none/x", "a", "--", "mark.py"], 2, "none/x"),
            (["--nonsense", "--", "mark.py"], 2, "--nonsense"),
            (
                ["--record", "1MB,signal=KILL", "--", "mark.py"],
                2,
                "cannot catch SIGKILL",
            ),
            (["--record", "", "a", "--", "mark.py"], 2, "'' is not a size"),
            (["--probe", "", "a", "--", "mark.py"], 2, "cannot probe ''"),
            (["--record", "6x", "a", "--", "mark.py"], 2, "'6x' is not a size"),
            (["--probe", "fit", "a", "--", "mark.py"], 2, "cannot probe 'fit'"),
            (["--probe", "a:b=out", "--", "mark.py"], 2, "add a rule for the name"),
            (["--probe", "Ridge.*", "--", "mark.py"], 2, "cannot probe 'Ridge.*'"),
        ],
    )
    def test_is_told_before_anything_is_started(
        self, run, folder, arguments, code, told
    ):
        (folder / "mark.py").write_text("open('started', 'w')")
        (folder / "bad.toml").write_text("[[rules]]\nevery = '1'\nnames = 'a'")
        done = run(*arguments)
        assert done.returncode == code
        assert told in done.stderr
        assert "Traceback" not in done.stderr
        assert not (folder / "started").exists()

    def test_of_the_environment_is_told_as_well(self, run):
        done = run("--", "program.py", CHECKPOINTS="a=x?evry=1")
        assert done.returncode == 2
        assert "CHECKPOINTS, rule 1, 'a=x?evry=1'" in done.stderr
        assert "Traceback" not in done.stderr

    @POSIX
    def test_a_command_that_cannot_be_run_gives_126(self, run, folder):
        (folder / "text").write_text("no program")
        done = run("mypkg", "--", "./text")
        assert done.returncode == 126

    @POSIX
    @pytest.mark.skipif(
        hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere"
    )
    def test_a_root_that_may_not_be_written_is_told(self, run, folder):
        (folder / "closed").mkdir(mode=0o500)
        done = run("mypkg=closed/x", "--", "program.py")
        assert done.returncode == 2
        assert "closed is not writable" in done.stderr


@POSIX
class TestSignals:
    @pytest.fixture
    def start(self, folder):
        started = []

        def start(*arguments, stubborn=False, **options):
            program = textwrap.dedent(ENDLESS).replace("{stubborn}", str(stubborn))
            (folder / "endless.py").write_text(program)
            process = subprocess.Popen(
                [*OURS, "run", *arguments, "--", "endless.py"],
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
                **options,
            )
            started.append(process)
            assert process.stdout.readline() == "ready\n"
            return process

        yield start
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            process.stdout.close()
            process.stderr.close()

    def test_reach_the_program_and_what_was_accepted_is_saved(self, start):
        process = start("mypkg=out?background=true")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 128 + signal.SIGINT
        assert len(index("out")) == int(out)
        assert f"saved {int(out)} files" in err

    def test_that_come_twice_reach_it_twice(self, start):
        process = start("mypkg=out?background=true", stubborn=True)
        process.send_signal(signal.SIGINT)
        count = int(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        assert out == "again\n"
        assert process.returncode == 128 + signal.SIGINT
        assert len(index("out")) == count

    def test_of_termination_end_it_with_their_number(self, start):
        process = start("mypkg=out")
        process.terminate()
        _, err = process.communicate(timeout=60)
        assert process.returncode == 128 + signal.SIGTERM
        assert "checkpoints: saved " in err

    def test_of_the_keys_of_a_terminal_come_once(self, folder):
        """The terminal sends them to the program, so `run` must not send them again."""
        pty = pytest.importorskip("pty")
        program = (
            "import time\nprint('ready', flush=True)\ncount = 0\n"
            "end = time.monotonic() + 60\n"
            "while time.monotonic() < end:\n"
            "    try:\n"
            "        time.sleep(60 if count < 5 else 1)\n"
            "        break\n"
            "    except KeyboardInterrupt:\n"
            "        count += 1\n"
            "        print('ready', flush=True)\n"
            "print('count', count, flush=True)\n"
        )
        (folder / "counting.py").write_text(program)
        pid, terminal = pty.fork()
        if pid == 0:
            command = [*OURS, "run", "mypkg", "--quiet", "--", "counting.py"]
            os.execve(sys.executable, command, environment())
        seen, pressed = b"", 0
        try:
            while b"count " not in seen or not seen.endswith(b"\n"):
                seen += os.read(terminal, 1000)
                if seen.endswith(b"ready\r\n") and pressed < 5:
                    time.sleep(0.2)
                    os.write(terminal, b"\x03")
                    pressed += 1
        except OSError:  # the terminal is closed by the end of the program
            pass
        finally:
            os.close(terminal)
            os.waitpid(pid, 0)
        # Two signals at a time can become one, so one key alone would prove little.
        assert b"count 5" in seen


class TestStart:
    def test_lets_what_the_site_does_have_its_turn_whatever_happens(self, run, folder):
        (folder / "sitecustomize.py").write_text("import sys; sys.mine = 1")
        code = "import sys; print(sys.mine, '_start' in str(sys.path))"
        path = os.pathsep.join([SOURCES, str(folder)])
        inner = f"CHECKPOINTS='a?b=1' {sys.executable} -c \"{code}\""
        done = run("--probe", "json:loads", "--", "sh", "-c", inner, PYTHONPATH=path)
        assert done.stdout == "1 False\n"

    def test_loads_the_library_in_every_python_where_functions_are_looked_into(
        self, run, folder
    ):
        (folder / "path").mkdir()
        (folder / "path" / "sitecustomize.py").write_text("import sys; sys.mine = 1")
        code = (
            "import sys, sitecustomize as s; "
            "print('checkpoints' in sys.modules, sys.mine, '_start' in str(sys.path))"
        )
        path = os.pathsep.join([SOURCES, str(folder / "path")])
        done = run("--probe", "json:loads", "--", "-c", code, PYTHONPATH=path)
        assert done.stdout == "True 1 False\n"

    def test_leaves_a_python_alone_that_is_too_old_for_the_library(self, run):
        found = filter(None, map(shutil.which, ["python2", "python3.6", "python3.8"]))
        started = {old: subprocess.run([old, "-c", ""], check=False) for old in found}
        olds = [old for old, done in started.items() if done.returncode == 0]
        if not olds:
            pytest.skip("there is no Python that old")
        for old in olds:
            code = "import sys; print('_start' in str(sys.path))"
            done = run("--probe", "json:loads", "--", old, "-c", code)
            assert done.stdout == "False\n"
            assert "rror" not in done.stderr

    def test_tells_which_pythons_cannot_be_looked_into(self, run):
        code = "import json; json.loads('1')"
        done = run("--probe", "json:loads", "--", sys.executable, "-I", "-c", code)
        assert "a Python with -I, -E or -S" in done.stderr

    def test_saves_no_call_that_this_library_makes(self, run, folder):
        pytest.importorskip("wrapt")
        code = (
            "import json, checkpoints as cp; cp.checkpoint('plain', 1); json.dumps(2); "
            "s = cp.Session('plain.s'); s.checkpoint(3); s.commit()"
        )
        run("plain", "--probe", "json:dumps", "--to", "x", "--", "-c", code)
        given = [each for each in index(folder / "x") if each.name == "json.dumps"]
        assert [each.load()["obj"] for each in given] == [2]

    def test_hands_on_what_is_to_be_looked_into_and_recorded(self, run):
        code = (
            "import os; print(*(os.environ[f'CHECKPOINTS{it}'] "
            "for it in ('_PROBES', '_RECORD', '')), sep='\\n')"
        )
        arguments = ["--probe", "a:b", "--probe", "c:D.e", "--record", "64MB"]
        done = run(*arguments, "--to", "/x", "--", "-c", code)
        probes, record, rules = done.stdout.splitlines()
        assert probes == "a:b;c:D.e"
        assert record == "64MB"
        assert rules == "a.b=/x; c.D.e=/x"

    def test_without_a_rule_records_all_there_is(self, run):
        code = "import os; print(os.environ['CHECKPOINTS'])"
        done = run("--record", "64MB", "--to", "/x", "--", "-c", code)
        assert done.stdout == "*=/x\n"

    @POSIX
    def test_tells_the_calls_of_all_that_a_shell_starts_apart(self, run, folder):
        pytest.importorskip("wrapt")
        code = f"{sys.executable} -c 'import json; json.loads(\"1\")'"
        run(
            "--probe", "json:loads", "--to", "x", "--", "sh", "-c", f"{code}; {code}; :"
        )
        given = [each for each in index(folder / "x") if each.name == "json.loads"]
        assert [each.tags["call"] for each in given] == ["1", "1"]
        assert len({each.tags["process"] for each in given}) == 2

    def test_gives_the_calls_of_a_program_no_process(self, run, folder):
        pytest.importorskip("wrapt")
        code = "import json; json.loads('1')"
        run("--probe", "json:loads", "--to", "x", "--", "-c", code)
        assert index(folder / "x").tag_values("process") == []

    def test_takes_what_the_environment_asks_for_as_well(self, run):
        code = (
            "import os; print(*(os.environ[f'CHECKPOINTS{it}'] "
            "for it in ('_PROBES', '_RECORD', '')), sep='\\n')"
        )
        done = run(
            *("--probe", "c:d", "--probe", "a:b", "--to", "/x", "--", "-c", code),
            CHECKPOINTS_PROBES=" a:b ; e:f ",
            CHECKPOINTS_RECORD="64MB",
        )
        assert done.stdout == "a:b;e:f;c:d\n64MB\na.b=/x; e.f=/x; c.d=/x\n"

    def test_makes_no_rule_for_a_function_that_one_covers(self, run):
        code = "import os; print(os.environ['CHECKPOINTS'])"
        arguments = ["a=/y", "--probe", "a:b", "--probe", "c:d", "--to", "/x"]
        done = run(*arguments, "--", "-c", code)
        assert done.stdout == "a=/y; c.d=/x\n"


class TestProbes:
    def test_see_functions_of_the_script_itself(self, run, folder):
        pytest.importorskip("wrapt")
        (folder / "nightly.py").write_text(
            "def job(x):\n    return x + 1\n\n\n"
            "class Model:\n    def fit(self, n):\n        return job(n)\n\n\n"
            "print(Model().fit(2))\n"
        )
        probes = ("--probe", "nightly:job", "--probe", "nightly:Model")
        done = run(*probes, "--to", "x", "--", "nightly.py")
        assert done.stdout == "3\n"
        assert {*names_under(folder / "x")} == {
            *("nightly.job", "nightly.job.result"),
            *("nightly.Model.fit", "nightly.Model.fit.result"),
        }

    def test_see_functions_of_a_module_that_is_run(self, run, folder):
        pytest.importorskip("wrapt")
        (folder / "nightly.py").write_text("def job(): return 1\nprint(job())\n")
        done = run("--probe", "nightly:job", "--to", "x", "--", "-m", "nightly")
        assert done.stdout == "1\n"
        assert "nightly.job" in names_under(folder / "x")

    @pytest.mark.parametrize(
        ("target", "words", "name"),
        [
            ("nightly:*", ["nightly.py"], "nightly"),
            ("__main__:*", ["nightly.py"], "__main__"),
            ("nightly:*", ["-m", "nightly"], "nightly"),
            ("pack.__main__:*", ["-m", "pack"], "pack.__main__"),
            ("pack.__main__:job", ["-m", "pack"], "pack.__main__"),
            ("pack.*:*", ["-m", "pack"], "pack.__main__"),
            ("__main__:*", [sys.executable, "pack"], "__main__"),
        ],
    )
    def test_by_a_pattern_see_what_the_main_file_defines(
        self, run, folder, target, words, name
    ):
        pytest.importorskip("wrapt")
        (folder / "pack").mkdir()
        (folder / "pack" / "__init__.py").touch()
        for file in ("nightly.py", "pack/__main__.py"):
            (folder / file).write_text(
                "def job(x):\n    return Model().fit(x)\n\n\n"
                "if job is None:\n    def never(): pass\n"
                "class Model:\n    def fit(self, n):\n        return n + 1\n\n\n"
                "print(job(2), __import__('sys').gettrace())\n"
            )
        done = run("--probe", target, "--to", "x", "--", *words)
        assert done.stdout == "3 None\n"
        wanted = {f"{name}.job", f"{name}.job.result"}
        if target.endswith("*"):
            wanted |= {f"{name}.Model.fit", f"{name}.Model.fit.result"}
        assert {*names_under(folder / "x")} == wanted

    def test_of_a_package_with_the_name_of_the_script_say_what_is_true(
        self, run, folder
    ):
        pytest.importorskip("wrapt")
        (folder / "bin").mkdir()
        (folder / "bin" / "json.py").write_text(
            "import sys\nsys.path.pop(0)\nimport json\nprint(json.dumps(1))\n"
        )
        done = run("--probe", "json.tool:main", "--to", "x", "--", "bin/json.py")
        assert done.stdout == "1\n"
        assert "its module was not imported, or its import failed" in done.stderr
        assert "the main file" not in done.stderr

    def test_under_pytest_say_why_nothing_was_saved(self, run, folder):
        pytest.importorskip("wrapt")
        (folder / "test_it.py").write_text("def test_it(): import textwrap\n")
        probes = ("--probe", "textwrp:fill", "--probe", "textwrap:fil")
        words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py")
        done = run(*probes, "--to", "x", "--", *words)
        assert "no such module was imported, or its import failed; did" in done.stderr
        assert "not found; did you mean 'fill'?" in done.stderr
        assert "the log says why" not in done.stderr

    def test_of_a_script_that_does_not_define_them_say_so(self, run, folder):
        pytest.importorskip("wrapt")
        (folder / "nightly.py").write_text("def job(): return 1\n")
        done = run("--probe", "nightly:jbo", "--to", "x", "--", "nightly.py")
        told = "probed no function: the main file of this program does not define it"
        assert told in done.stderr

    def test_by_a_pattern_say_how_many_functions_there_were(self, run, folder):
        pytest.importorskip("wrapt")
        words = ("--probe", "textwrap:*", "--probe", "!textwrap:dedent")
        code = "import textwrap; textwrap.fill(textwrap.dedent(' a'))"
        done = run(*words, "--to", "x", "--", "-c", code)
        assert "  probed 7 functions of textwrap.*\n" in done.stderr
        names = names_under(folder / "x")
        assert "textwrap.TextWrapper.fill" in names
        assert "textwrap.dedent" not in names

    def test_of_a_file_are_saved_as_its_rule_says(self, run, folder):
        pytest.importorskip("wrapt")
        (folder / "rules.toml").write_text(
            '[[rules]]\nprobe = ["textwrap:*", "!textwrap:dedent"]\n'
            'given = {text = "a*"}\ntarget = "x"\n'
        )
        code = "import textwrap as t; t.fill('a b'); t.fill('b a'); t.dedent('a')"
        run("--config", "rules.toml", "--", "-c", code)
        names = [entry.name for entry in index(folder / "x")]
        assert names.count("textwrap.fill") == 1
        assert "textwrap.dedent" not in names
