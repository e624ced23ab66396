"""The recorder that `CHECKPOINTS_RECORD` asks for."""

from __future__ import annotations

import signal
import sys
import threading

import pytest

from checkpoints import DictHandler, Handler, Recorder, checkpoint, config, tags
from checkpoints import _environment as variable
from checkpoints._environment import parsed_recording, recorder_for
from checkpoints.errors import ConfigError

needs_signals = pytest.mark.skipif(
    not hasattr(signal, "SIGUSR1"), reason="there is none"
)


@pytest.fixture(autouse=True)
def recorders(monkeypatch):
    made = []
    monkeypatch.setattr(variable, "_first", [])
    yield made
    for recorder in made:
        if isinstance(recorder, Recorder):
            recorder.close()


class TestText:
    @pytest.mark.parametrize(
        ("text", "size"),
        [("64MB", 64_000_000), ("1.5 kib", 1536), ("100", 100), ("2GiB", 2 << 30)],
    )
    def test_gives_a_size(self, text, size):
        assert parsed_recording(text) == {"max_bytes": size}

    @needs_signals
    def test_gives_more_after_commas(self):
        assert parsed_recording("1MB, when=nan, signal=usr1") == {
            "max_bytes": 1_000_000,
            "when": "nan",
            "signal": signal.SIGUSR1,
        }

    @pytest.mark.parametrize(
        "text",
        ["", "MB", "64 M B", "64PB", "-1", "1MB,", "1MB,when=inf", "1MB,signal=X"],
    )
    def test_that_cannot_be_read_says_so(self, text):
        with pytest.raises(ConfigError, match="64MB"):
            parsed_recording(text)


class TestTarget:
    def test_stays_what_it_is_where_nobody_asks(self, monkeypatch):
        monkeypatch.delenv("CHECKPOINTS_RECORD", raising=False)
        target = DictHandler()
        assert recorder_for(target, {"durable": True}) == (target, {"durable": True})

    def test_that_switches_off_stays(self, monkeypatch):
        monkeypatch.setenv("CHECKPOINTS_RECORD", "1MB")
        assert recorder_for(None, {}) == (None, {})

    def test_of_all_rules_shares_one_memory(self, monkeypatch, recorders):
        monkeypatch.setenv("CHECKPOINTS_RECORD", "1MB")
        one, two = DictHandler(), DictHandler()
        recorders += [recorder_for(target, {})[0] for target in (one, two)]
        config("var.a", recorders[0])
        config("var.b", recorders[1])
        for n in range(3):
            with tags(n=n):
                checkpoint("var.a", bytes(200_000))
                checkpoint("var.b", bytes(200_000))
        assert not one
        assert not two
        assert recorders[0].dump() == 4
        assert (len(one), len(two)) == (2, 2)
        assert [repr(each) for each in recorders] == [
            f"Recorder({target!r}, max_bytes=1000000)" for target in (one, two)
        ]

    def test_of_all_rules_listens_until_the_last_one_is_gone(
        self, monkeypatch, recorders
    ):
        monkeypatch.setenv("CHECKPOINTS_RECORD", "1MB")
        recorders += [recorder_for(DictHandler(), {})[0] for _ in range(2)]
        before = sys.excepthook
        rules = [config(f"var.{n}", each) for n, each in enumerate(recorders)]
        for rule in rules:
            assert sys.excepthook is not before
            rule.remove()
        assert sys.excepthook is before

    def test_of_every_rule_is_waited_for(self, monkeypatch, recorders):
        class Slow(Handler):
            def flush(self, timeout=None):
                flushed.append(self)

        flushed = []
        monkeypatch.setenv("CHECKPOINTS_RECORD", "1MB")
        targets = [Slow(), Slow()]
        recorders += [recorder_for(target, {})[0] for target in targets]
        for each in recorders:
            with config("var.b", each):
                pass
        assert flushed == targets

    @needs_signals
    def test_is_had_without_a_signal_in_a_thread(self, monkeypatch, recorders, caplog):
        monkeypatch.setenv("CHECKPOINTS_RECORD", "1MB,signal=USR1")
        before = signal.getsignal(signal.SIGUSR1)

        def load():
            recorders.append(recorder_for(DictHandler(), {})[0])

        thread = threading.Thread(target=load)
        thread.start()
        thread.join()
        assert recorders[0].signal is None
        assert signal.getsignal(signal.SIGUSR1) is before
        assert "CHECKPOINTS_RECORD: cannot handle signal=" in caplog.text
        assert "so it is ignored" in caplog.text

    @needs_signals
    def test_takes_a_signal_that_nobody_can_hear_for_an_error(self, monkeypatch):
        monkeypatch.setenv("CHECKPOINTS_RECORD", "1MB,signal=KILL")
        with pytest.raises(ConfigError, match="cannot catch SIGKILL"):
            recorder_for(DictHandler(), {})

    def test_takes_a_size_of_nothing_for_an_error(self, monkeypatch):
        monkeypatch.setenv("CHECKPOINTS_RECORD", "0MB")
        with pytest.raises(ConfigError, match="0MB"):
            recorder_for(DictHandler(), {})

    def test_takes_the_options_of_a_path(self, monkeypatch, recorders, tmp_path):
        monkeypatch.setenv("CHECKPOINTS_RECORD", "1MB")
        recorder, options = recorder_for(tmp_path, {"compression": "gzip"})
        recorders.append(recorder)
        assert options == {}
        assert recorder.handlers[0].compression == "gzip"
