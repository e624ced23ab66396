"""Files that are equal though not all of what their values held is in them."""

from __future__ import annotations

import pytest

from checkpoints import diff
from checkpoints._kinds.summary import summaries_of

OPAQUE = """
class Opaque:
    def __init__(self, number):
        self.compute = lambda: number
cp.checkpoint("model", {model})
cp.checkpoint("total", total=1.0)
"""


class TestSummaries:
    @pytest.mark.parametrize("format", ["zip", "jlso"])
    def test_equal_ones_without_a_hash_are_unknown(self, roots, command, format):
        program = OPAQUE.format(model="model=Opaque(int(sys.argv[1]))")
        places = roots(program, "1", "2", summary=True, format=format)
        found = diff(*places)
        assert [(pair.verdict, pair.by) for pair in found] == [
            ("unknown", "values"),
            ("equal", "checksum"),
        ]
        why = "the statistics agree, but there is no hash"
        assert next(iter(found)).why == why
        code, text = command(*places)
        assert code == 2
        assert f"model: {why}" in text

    def test_so_they_are_within_other_values(self, runs):
        for run in runs:
            summary = summaries_of({"x": lambda: 1})["x"]
            run.save("state", {"state": {"step": 1, "parts": [(summary,)]}})
        found = diff(*(run.root for run in runs))
        assert [pair.verdict for pair in found] == ["unknown"]

    def test_a_text_about_hashes_is_equal_to_itself(self, runs):
        for run in runs:
            run.save("log", {"text": "no hash: none", "list": ["no hash: none"]})
        found = diff(*(run.root for run in runs))
        assert [(pair.verdict, pair.by) for pair in found] == [("equal", "checksum")]


class TestChanged:
    def test_it_is_told_that_more_was_there_than_was_saved(self, roots, command):
        pytest.importorskip("matplotlib")
        program = (
            "from matplotlib.figure import Figure\n"
            "figure = Figure()\n"
            "figure.add_subplot().plot([1, 2], label=sys.argv[1])\n"
            "cp.checkpoint('plot', figure=figure)\n"
        )
        places = roots(program, "one", "two")
        found = diff(*places)
        assert (found.verdict, next(iter(found)).changed) == ("equal", ("figure",))
        code, text = command(*places)
        assert code == 0
        assert "plot: what is not saved of: figure" in text
