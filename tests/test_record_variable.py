"""The recorder that `CHECKPOINTS_RECORD` asks for."""

from __future__ import annotations

import signal

import pytest

from checkpoints import DictHandler, Recorder, checkpoint, config, tags
from checkpoints import _record_variable as variable
from checkpoints._record_variable import parsed_recording, recorder_for
from checkpoints.errors import ConfigError


@pytest.fixture(autouse=True)
def recorders(monkeypatch):
    made = []
    monkeypatch.setattr(variable, "_first", [])
    yield made
    for recorder in made:
        recorder.close()


class TestText:
    @pytest.mark.parametrize(
        ("text", "size"),
        [("64MB", 64_000_000), ("1.5 kib", 1536), ("100", 100), ("2GiB", 2 << 30)],
    )
    def test_gives_a_size(self, text, size):
        assert parsed_recording(text) == {"max_bytes": size}

    @pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="there is none")
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
        assert all(isinstance(each, Recorder) for each in recorders)
        assert recorders[1].dump() == 4
        assert (len(one), len(two)) == (2, 2)

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
