"""The flight recorder: nothing is written until something goes wrong."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

import checkpoints
from checkpoints import (
    DictHandler,
    FileHandler,
    Recorder,
    checkpoint,
    config,
    index,
    stats,
    tags,
)
from checkpoints._environment import parsed_recording
from checkpoints.errors import ConfigError

LOCATION = Path(checkpoints.__file__).parents[1]
needs_signals = pytest.mark.skipif(os.name != "posix", reason="there are no signals")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


@pytest.fixture
def recorder(root):
    with Recorder(root, max_bytes=1_000_000) as recorder:
        config("rec", recorder)
        yield recorder


def saved(root):
    return [entry.load()["data"] for entry in in_order(root)] if root.exists() else []


def in_order(root):
    return sorted(index(root), key=lambda entry: entry.meta["sequence"])


def save(*values):
    for value in values:
        with tags(n=value):
            checkpoint("rec.step", value)


class TestMemory:
    def test_nothing_is_written_until_then(self, recorder, root):
        save(1, 2)
        assert not root.exists()
        assert len(recorder) == 2

    def test_values_are_those_of_the_call(self, recorder, root):
        value = [1]
        checkpoint("rec.step", value)
        value.append(2)
        recorder.dump()
        assert saved(root) == [[1]]

    def test_the_oldest_saves_make_room_for_new_ones(self, root, caplog):
        with Recorder(root, max_bytes=1_000_000) as recorder, config("rec", recorder):
            for n in range(5):
                with tags(n=n):
                    checkpoint("rec.step", bytes(400_000))
            assert recorder.dump() == 2
        assert [entry.tags["n"] for entry in in_order(root)] == ["3", "4"]
        assert "; 3 older ones were discarded" in caplog.text

    def test_a_save_that_never_fits_is_told_and_keeps_the_others(
        self, recorder, root, caplog
    ):
        save(1)
        checkpoint("rec.step", bytes(2_000_000))
        assert "max_bytes=1000000: raise max_bytes" in caplog.text
        assert stats().failed == 1
        recorder.dump()
        assert saved(root) == [1]

    def test_is_empty_after_the_block(self, recorder):
        with recorder:
            save(1)
        assert len(recorder) == 0

    def test_keeps_nothing_after_the_block_and_counts_it_as_skipped(self, recorder):
        recorder.close()
        save(1, 2)
        assert len(recorder) == 0
        assert (stats().skipped, stats().by_reason) == (2, {"handler": 2})

    def test_keeps_saves_again_in_another_block(self, recorder, root):
        recorder.close()
        with recorder:
            save(1)
            recorder.dump()
        assert saved(root) == [1]


class TestDump:
    def test_writes_each_save_once_and_goes_on(self, recorder, root):
        save(1, 2)
        assert recorder.dump("first") == 2
        save(3)
        assert recorder.dump("second") == 1
        assert recorder.dump("third") == 0
        told = {entry.load()["data"]: entry.meta["dumped"] for entry in index(root)}
        assert told == {1: "first", 2: "first", 3: "second"}

    def test_keeps_where_and_when_each_save_was_made(self, recorder, root):
        save(1)
        line = sys._getframe().f_lineno - 1
        recorder.dump()
        meta = index(root)[0].meta
        assert meta["site"]["file"] == __file__
        assert meta["site"]["line"] <= line
        direct = FileHandler(root)
        direct.checkpoint("rec.later", 0)
        later = next(entry for entry in index(root) if entry.stem == "later").meta
        assert (meta["sequence"], meta["time"]) < (later["sequence"], later["time"])
        assert "dumped" not in later

    def test_counts_a_save_when_it_is_written(self, recorder):
        save(1)
        assert stats().saved == 0
        recorder.dump()
        assert stats().saved == 1

    def test_that_fails_is_told_and_takes_nothing_down(self, caplog):
        def fails(key, data):
            if data["data"] == 1:
                raise OSError("full")
            got.append(data["data"])

        got = []
        with Recorder(fails) as recorder, config("rec", recorder):
            save(1, 2)
            assert recorder.dump() == 1
        assert got == [2]
        assert stats().failed == 1
        assert "full" in caplog.text

    def test_reaches_every_target(self, root):
        seen = DictHandler()
        with Recorder([root, seen]) as recorder, config("rec", recorder):
            save(1)
            recorder.dump()
        assert saved(root) == [1]
        assert list(seen) == ["n=1/rec/step"]

    @pytest.mark.parametrize("background", [False, True])
    @pytest.mark.parametrize("first", ["good", "bad"])
    def test_counts_and_tells_of_each_target(self, root, first, background, caplog):
        (root.parent / "file").write_text("in the way")
        good = FileHandler(root, background=background)
        bad = FileHandler(root.parent / "file", background=background)
        targets = [good, bad] if first == "good" else [bad, good]
        with Recorder(targets) as recorder, config("rec", recorder):
            save(1, 2)
            assert recorder.dump() == (2 if background else 0)
            good.flush()
            bad.flush()
        assert sorted(saved(root)) == [1, 2]
        assert (stats().saved, stats().failed) == (2, 2)
        assert "Error: " in caplog.text

    def test_tells_of_each_target_that_fails_what_its_rule_says(self):
        def fails(key, data):
            raise OSError("full")

        def breaks(key, data):
            raise ValueError("odd")

        recorder = Recorder([fails, breaks])
        with recorder, config("rec", recorder, on_error="raise"):
            save(1)
            recorder.dump()
            with pytest.raises(OSError, match="full") as raised:
                checkpoint("rec.step", 2)
        assert "odd" in raised.value.__notes__[-1]
        assert stats().failed == 2

    def test_that_is_interrupted_gives_no_target_a_save_twice(self):
        def interrupted(key, data):
            if not got.count("interrupt"):
                got.append("interrupt")
                raise KeyboardInterrupt
            got.append(data["data"])

        seen, got = [], []
        targets = [lambda key, data: seen.append(data["data"]), interrupted]
        with Recorder(targets) as recorder, config("rec", recorder):
            save(1)
            with pytest.raises(KeyboardInterrupt):
                recorder.dump()
            assert recorder.dump() == 1
        assert seen == [1]
        assert got == ["interrupt", 1]
        assert stats().saved == 2

    def test_waits_for_a_target_in_the_background(self, root):
        with Recorder(root, background=True) as recorder, config("rec", recorder):
            save(1)
            assert recorder.dump() == 1
            assert saved(root) == [1]
        assert stats().saved == 1

    def test_that_is_interrupted_anywhere_loses_nothing(self):
        def interrupt(frame, event, arg):
            nonlocal left
            if not frame.f_code.co_filename.endswith(
                ("_handlers/recorder.py", "_handlers/ring.py")
            ):
                return None
            frame.f_trace_opcodes = True
            left -= event == "opcode"
            if left == 0:
                sys.settrace(None)
                raise KeyboardInterrupt
            return interrupt

        seen = set()
        for steps in itertools.count(1):
            left = steps
            seen.clear()
            with Recorder(lambda key, data: seen.add(data["data"])) as recorder:
                with config("recorder", recorder):
                    for number in range(3):
                        checkpoint("recorder.step", number)
                before = sys.gettrace()
                # Otherwise Python 3.12 would tell only of opcodes of later calls.
                sys._getframe().f_trace_opcodes = True
                sys.settrace(interrupt)
                try:
                    recorder.dump()
                except KeyboardInterrupt:
                    recorder.dump()
                finally:
                    sys.settrace(before)
            assert seen == {0, 1, 2}, f"after {steps} steps"
            if left > 0:
                break
        assert steps > 300

    def test_that_is_interrupted_loses_nothing(self):
        def interrupted(key, data):
            if data["data"] == 2 and not got.count("interrupt"):
                got.append("interrupt")
                raise KeyboardInterrupt
            got.append(data["data"])

        got = []
        with Recorder(interrupted) as recorder, config("rec", recorder):
            save(1, 2, 3)
            with pytest.raises(KeyboardInterrupt):
                recorder.dump()
            recorder.dump()
        assert got == [1, "interrupt", 2, 3]

    def test_within_a_dump_writes_nothing_twice(self):
        def nested(key, data):
            got.append(data["data"])
            recorder.dump("again")

        got = []
        with Recorder(nested) as recorder, config("rec", recorder):
            save(1, 2, 3)
            recorder.dump()
        assert got == [1, 2, 3]

    def test_leaves_what_its_own_target_saves_to_the_next_one(self):
        def saves_again(key, data):
            got.append(data["data"])
            recorder.checkpoint("rec.again", data["data"] + 10)

        got = []
        with Recorder(saves_again) as recorder:
            recorder.checkpoint("rec.step", 1)
            recorder.checkpoint("rec.step", 2)
            assert recorder.dump() == 2
            assert len(recorder) == 2
        assert got == [1, 2]

    def test_from_many_threads_writes_each_save_once(self):
        got = []
        recorder = Recorder(lambda key, data: got.append(data["data"]))

        def work(number):
            for step in range(50):
                recorder.checkpoint("rec.step", (number, step))
                if step % 7 == 0:
                    recorder.dump()

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        recorder.dump()
        recorder.close()
        assert len(got) == len(set(got)) == 200
        assert recorder._ring.size == 0


class TestExceptions:
    def test_that_leave_the_block_have_all_written(self, root):
        with pytest.raises(LookupError), Recorder(root) as recorder:
            config("rec", recorder)
            save(1, 2)
            raise LookupError("lost")
        assert saved(root) == [1, 2]
        assert index(root)[0].meta["dumped"] == "exception: LookupError: lost"

    @pytest.mark.parametrize("error", [SystemExit, GeneratorExit])
    def test_that_only_end_the_block_do_not(self, root, error):
        with pytest.raises(error), Recorder(root) as recorder:
            config("rec", recorder)
            save(1)
            raise error
        assert not root.exists()

    def test_whose_text_cannot_be_had_do_as_well(self, root):
        class Odd(Exception):
            def __str__(self):
                raise ValueError

        with pytest.raises(Odd), Recorder(root) as recorder:
            config("rec", recorder)
            save(1)
            raise Odd
        assert index(root)[0].meta["dumped"].startswith("exception: Odd")

    def test_that_leave_a_thread_have_all_written(self, root, monkeypatch):
        monkeypatch.setattr(threading, "excepthook", lambda args: None)

        def fail():
            raise LookupError("lost")

        with Recorder(root) as recorder, config("rec", recorder):
            save(1)
            thread = threading.Thread(target=fail)
            thread.start()
            thread.join()
            assert saved(root) == [1]


class TestWhen:
    def test_a_save_fits_all_are_written(self, root):
        def is_three(key, values):
            return values["data"] == 3

        with Recorder(root, when=is_three) as recorder, config("rec", recorder):
            save(1, 2, 3, 4)
            assert saved(root) == [1, 2, 3]
            assert len(recorder) == 1
        assert in_order(root)[0].meta["dumped"] == "when: 'rec.step' [n=3]"

    def test_a_nan_appears_all_are_written(self, root):
        with Recorder(root, when="nan") as recorder, config("rec", recorder):
            save(1.0, 2.0)
            assert not root.exists()
            save(float("nan"))
        assert len(index(root)) == 3

    def test_it_raises_the_save_is_kept_and_the_error_told(self, root, caplog):
        def raises(key, values):
            raise ValueError("no such column")

        with Recorder(root, when=raises) as recorder, config("rec", recorder):
            save(1)
            assert "no such column" in caplog.text
            assert recorder.dump() == 1


@needs_signals
class TestSignals:
    def test_have_all_written_and_the_program_goes_on(self, root):
        with Recorder(root, signal=signal.SIGUSR1) as recorder:
            config("rec", recorder)
            save(1, 2)
            signal.raise_signal(signal.SIGUSR1)
            signal.raise_signal(signal.SIGUSR1)
            assert saved(root) == [1, 2]
        assert index(root)[0].meta["dumped"] == "signal: SIGUSR1"

    def test_that_come_during_a_dump_do_no_harm(self):
        def signalled(key, data):
            signal.raise_signal(signal.SIGUSR1)
            got.append(data["data"])

        got = []
        with Recorder(signalled, signal=signal.SIGUSR1) as recorder:
            config("rec", recorder)
            save(1, 2)
            signal.raise_signal(signal.SIGUSR1)
        assert got == [1, 2]

    def test_reach_the_handler_that_was_there_and_give_it_back(self, root):
        heard = []

        def before(number, frame):
            heard.append(number)

        old = signal.signal(signal.SIGUSR2, before)
        try:
            with Recorder(root, signal=signal.SIGUSR2):
                signal.raise_signal(signal.SIGUSR2)
                assert heard == [signal.SIGUSR2]
            assert signal.getsignal(signal.SIGUSR2) is before
        finally:
            signal.signal(signal.SIGUSR2, old)

    def test_are_given_up_by_a_thread_as_far_as_one_can(self, root):
        heard, raised = [], []

        def block(recorder):
            try:
                with recorder:
                    save(1)
                    raise LookupError("the host's own")
            except Exception as error:
                raised.append(error)

        def before(number, frame):
            heard.append(number)

        old = signal.signal(signal.SIGUSR2, before)
        try:
            recorder = Recorder(root, signal=signal.SIGUSR2)
            rule = config("rec", recorder)
            thread = threading.Thread(target=block, args=(recorder,))
            thread.start()
            thread.join()
            assert [str(error) for error in raised] == ["the host's own"]
            assert (len(recorder), saved(root)) == (0, [1])
            save(2)
            signal.raise_signal(signal.SIGUSR2)
            assert (heard, saved(root)) == ([signal.SIGUSR2], [1, 2])
            recorder.close()
            with recorder:
                signal.raise_signal(signal.SIGUSR2)
            assert len(heard) == 2
            rule.remove()
            assert signal.getsignal(signal.SIGUSR2) is before
        finally:
            signal.signal(signal.SIGUSR2, old)

    def test_that_end_a_program_end_it_after_the_dump(self, root):
        ended = run(
            """
            import os, signal, sys
            from checkpoints import Recorder, checkpoint, config
            config("rec", Recorder(sys.argv[1], signal=signal.SIGTERM))
            checkpoint("rec.step", 1)
            os.kill(os.getpid(), signal.SIGTERM)
            checkpoint("rec.step", 2)
            """,
            root,
        )
        assert ended.returncode == -signal.SIGTERM
        assert saved(root) == [1]

    def test_that_come_at_any_moment_lose_nothing_and_write_nothing_twice(self, root):
        ended = run(
            """
            import os, signal, sys, threading, time
            from checkpoints import Recorder, tags
            got = []
            recorder = Recorder(
                lambda key, data: got.append(data["data"]), signal=signal.SIGUSR1
            )
            going = True

            def signals():
                while going:
                    os.kill(os.getpid(), signal.SIGUSR1)
                    time.sleep(0.0005)

            thread = threading.Thread(target=signals)
            with recorder:
                thread.start()
                for n in range(1500):
                    recorder.checkpoint("rec.step", n)
                going = False
                thread.join()
                recorder.dump()
            assert sorted(got) == list(range(1500)), len(got)
            assert recorder._ring.size == 0
            """,
            root,
        )
        assert ended.returncode == 0, ended.stderr

    @pytest.mark.parametrize("number", [9, 0, "USR1", 4000])
    def test_that_cannot_be_heard_are_refused(self, root, number):
        with pytest.raises(ConfigError, match="signal"):
            Recorder(root, signal=number)

    @pytest.mark.parametrize("name", ["SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL"])
    def test_that_machine_code_would_repeat_without_end_are_refused(self, root, name):
        number = getattr(signal, name)
        with pytest.raises(ConfigError, match=f"{name}.*again without end"):
            Recorder(root, signal=number)
        with pytest.raises(ConfigError, match=f"{name}.*again without end"):
            parsed_recording(f"1MB,signal={name}")


def run(program, root):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program), str(root)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(LOCATION)},
    )


class TestProcesses:
    PROGRAM = """
        import sys
        from checkpoints import Recorder, checkpoint, config
        config("rec", Recorder(sys.argv[1]))
        checkpoint("rec.step", 1)
    """

    def test_that_end_well_write_nothing(self, root):
        ended = run(self.PROGRAM, root)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert not root.exists()

    def test_that_end_by_an_exception_write_all_after_its_traceback(self, root):
        ended = run(textwrap.dedent(self.PROGRAM) + "1 / 0", root)
        assert ended.returncode == 1
        trace, told = ended.stderr.splitlines()[-2:]
        assert trace == "ZeroDivisionError: division by zero"
        assert "wrote 1 of 1 recorded saves" in told
        assert saved(root) == [1]

    @needs_fork
    def test_that_are_forked_have_nothing_of_their_parent(self, root):
        program = """
            import os, sys
            from checkpoints import Recorder, checkpoint, config, tags
            recorder = Recorder(sys.argv[1])
            config("rec", recorder)
            checkpoint("rec.step", 1)
            if os.fork() == 0:
                with tags(child=1):
                    checkpoint("rec.step", 2)
                os._exit(recorder.dump("child") - 1)
            _, status = os.wait()
            assert status == 0
            assert recorder.dump("parent") == 1
        """
        ended = run(program, root)
        assert ended.returncode == 0, ended.stderr
        told = {entry.load()["data"]: entry.meta["dumped"] for entry in index(root)}
        assert told == {1: "parent", 2: "child"}


@pytest.fixture
def listens():
    """Tell whether a recorder listens to exceptions; whether to a signal."""
    signals = [signal.SIGUSR1] if hasattr(signal, "SIGUSR1") else []
    before = [sys.excepthook, threading.excepthook, *map(signal.getsignal, signals)]

    def listens():
        now = [sys.excepthook, threading.excepthook, *map(signal.getsignal, signals)]
        changed = [one is not other for one, other in zip(now, before, strict=True)]
        assert len(set(changed)) == 1
        return changed[0]

    listens.options = {"signal": signals[0]} if signals else {}
    return listens


class TestInForce:
    """A recorder listens for as long as somebody has it in force."""

    def test_to_make_one_has_no_effect(self, root, listens):
        recorder = Recorder(root, background=True, **listens.options)
        assert not listens()
        recorder.close()
        assert not listens()

    def test_it_listens_while_a_rule_has_it(self, root, listens):
        recorder = Recorder(root, **listens.options)
        one, other = config("rec.a", recorder), config("rec.b", [recorder, print])
        assert listens()
        one.remove()
        assert listens()
        other.remove()
        other.remove()
        assert not listens()
        with config("rec", recorder):
            assert listens()
        assert not listens()
        config("rec", recorder)
        checkpoints.reset()
        assert not listens()

    def test_what_it_keeps_outlives_its_rule(self, root, listens):
        recorder = Recorder(root)
        with config("rec", recorder):
            save(1)
        assert recorder.dump() == 1
        assert saved(root) == [1]

    def test_its_block_holds_it_as_a_rule_does(self, root, listens):
        with Recorder(root, **listens.options) as recorder:
            with config("rec", recorder):
                assert listens()
            assert listens()
            rule = config("rec", recorder)
        assert listens()
        rule.remove()
        assert not listens()

    def test_a_rule_puts_one_in_force_again_that_was_closed(self, root, listens):
        recorder = Recorder(root, **listens.options)
        with config("rec", recorder):
            recorder.close()
            assert not listens()
            save(1)
        with config("rec", recorder):
            assert listens()
            save(2)
            recorder.dump()
        assert saved(root) == [2]

    @needs_signals
    def test_where_its_signal_cannot_be_heard_the_rule_is_not_made(self, root, listens):
        raised = []

        def work():
            try:
                config("rec", [seen, Recorder(root, **listens.options)])
            except ConfigError as error:
                raised.append(str(error))

        seen = Beginning()
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert "cannot handle signal=" in raised[0]
        assert "in the main thread" in raised[0]
        assert checkpoints.rules() == []
        assert not listens()
        assert seen.told == ["begin", "end"]

    def test_its_targets_begin_and_end_with_it(self):
        targets = [Beginning(), Beginning()]
        recorder = Recorder(targets)
        assert [it.told for it in targets] == [[], []]
        with config("rec.a", recorder), config("rec.b", recorder), recorder:
            assert [it.told for it in targets] == [["begin"]] * 2
        assert [it.told for it in targets] == [["begin", "end"]] * 2

    def test_a_target_that_cannot_begin_undoes_it_all(self, listens):
        first = Beginning()
        with pytest.raises(OSError, match="no service"):
            config("rec", Recorder([first, Beginning("no service")]))
        assert not listens()
        assert first.told == ["begin", "end"]


class Beginning(DictHandler):
    """Tells when it is put in force and taken back, or fails to be."""

    def __init__(self, failure=""):
        super().__init__()
        self.told, self.failure = [], failure

    def begin(self):
        if self.failure:
            raise OSError(self.failure)
        self.told.append("begin")

    def end(self):
        self.told.append("end")


class TestOptions:
    @pytest.mark.parametrize(
        "options",
        [
            {"max_bytes": 0},
            {"max_bytes": True},
            {"max_bytes": "64 apples"},
            {"signal": signal.SIGSTOP},
            {"when": "inf"},
            {"when": 3},
            {"nonsense": 1},
        ],
    )
    def test_that_cannot_be_say_so(self, root, options):
        with pytest.raises(ConfigError):
            Recorder(root, **options)

    def test_take_a_size_as_people_write_it(self, root):
        with Recorder(root, max_bytes="64kB") as recorder:
            assert recorder.max_bytes == 64_000

    def test_ask_for_a_target(self):
        with pytest.raises(ConfigError, match="needs a target"):
            Recorder(None)
