"""Functions of files: which module has their name meanwhile, and afterwards."""

from __future__ import annotations

import sys

import pytest

from checkpoints import replay
from checkpoints.errors import ReplayError


@pytest.fixture
def entry(saved, shop):
    return saved("shop:Till.close", lambda: shop.Till.close("ab"))


class TestFile:
    @pytest.mark.parametrize("name", ["random", "antigravity"])
    def test_with_the_name_of_another_module_leaves_that_alone(
        self, entry, tmp_path, monkeypatch, name
    ):
        before = sys.modules.get(name)
        file = tmp_path / f"{name}.py"
        file.write_text("import tempfile\n\ndef close(name): return name[::-1]\n")
        found = replay(entry, function=f"{file}:close")
        assert found.verdict == "equal"
        assert sys.modules.get(name) is before
        emitted = found.emit(tmp_path / "out")
        assert emitted.verdict == "reproduced", emitted.output

    def test_that_the_program_has_imported_stays_what_it_was(self, saved, shop):
        entry = saved("shop:Till.add", lambda: shop.Till("me").add(2))
        found = replay(entry, trusted=True, function=f"{shop.__file__}:Till.add")
        assert found.verdict == "equal"
        assert sys.modules["shop"] is shop

    def test_is_run_anew_each_time(self, entry, tmp_path):
        file = tmp_path / "closing_times.py"
        file.write_text("def close(name): return name[::-1]\n")
        assert replay(entry, function=f"{file}:close").verdict == "equal"
        file.write_text("def close(name): return name + name\n")
        assert replay(entry, function=f"{file}:close").verdict == "different"

    def test_that_fails_leaves_no_module_behind(self, entry, tmp_path):
        file = tmp_path / "closing_times_too.py"
        file.write_text("1 / 0\n")
        with pytest.raises(ReplayError, match="importing closing_times_too fails"):
            replay(entry, function=f"{file}:close")
        assert "closing_times_too" not in sys.modules

    def test_has_its_module_at_hand_while_it_is_called(self, saved, shop, tmp_path):
        entry = saved("shop:Till.add", lambda: shop.Till("me").add(2))
        source = "def add(self, x, y=1):\n    import shop\n"
        source += "    assert isinstance(self, shop.Till) and shop.add is add\n"
        source += "    return [self.name, x + y]\n"
        with open(shop.__file__, "a") as file:
            file.write(source)
        found = replay(entry, trusted=True, function=f"{shop.__file__}:add")
        assert found.verdict == "equal", found.error
