"""
After an upgrade of pandas a result moves: the function where it begins is named.

pandas 3 reads times in microseconds, where pandas 2 had nanoseconds ("Datetime/
timedelta resolution inference" in its release notes), and the program below divides
whole numbers made of them by a billion. It declares no checkpoints: both versions of
pandas are probed from outside.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints
from checkpoints import diff, replay
from checkpoints._replay.elsewhere import Elsewhere, replay_elsewhere

pandas = pytest.importorskip("pandas", reason="it is upgraded")
pytest.importorskip("wrapt", reason="probes need it")

LOCATION = Path(checkpoints.__file__).parents[1]
OLD = ("pandas==2.3.3", "numpy==1.26.4", "pyarrow==18.1.0", "wrapt", "click", "rich")
PROBES = ("read_csv", "to_datetime", "pivot_table")
PROGRAM = '''
import io
import pandas as pd

CSV = """time,symbol,price
2024-03-08 09:30:00,A,10.0
2024-03-08 09:31:30,A,10.5
2024-03-08 09:33:00,A,11.0
2024-03-08 09:30:10,B,99.0
2024-03-08 09:32:40,B,98.0
"""
trades = pd.read_csv(io.StringIO(CSV))
trades["time"] = pd.to_datetime(trades["time"])
age = (trades["time"].max() - trades["time"]).astype("int64") / 1e9
trades["weight"] = 0.5 ** (age / 60)
print(pd.pivot_table(trades, index="symbol", values=["price", "weight"]))
'''


@pytest.fixture
def old_python(full, tmp_path_factory):
    """A Python with the older pandas."""
    if not full:
        pytest.skip("it installs an older pandas, so only in make reliability")
    folder = tmp_path_factory.mktemp("old")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", *OLD]
    done = subprocess.run(install, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the older pandas cannot be installed: {done.stderr[-200:]}")
    return python


@pytest.mark.skipif(pandas.__version__ < "3", reason="pandas 3 is the newer version")
def test_the_function_where_a_difference_begins_is_named_and_differs_alone(
    old_python, tmp_path, monkeypatch
):
    (tmp_path / "trades.py").write_text(PROGRAM)
    options = [option for name in PROBES for option in ("--probe", f"pandas:{name}")]
    for python, root in ((old_python, "old"), (sys.executable, "new")):
        run = [python, "-m", "checkpoints", "run", *options, "--to", root]
        subprocess.run(
            [*run, "--", "trades.py"],
            check=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(LOCATION)},
            capture_output=True,
        )
    found = diff(tmp_path / "old", tmp_path / "new")
    assert found.first.name == "pandas.to_datetime.result"
    assert found.first.role == "origin"
    _, worst = found.first.worst
    assert worst.dtype == ("datetime64[ns]", "datetime64[us]")
    changed = {it["library"] for it in found.as_json()["changed_versions"]}
    assert "pandas" in changed
    call = found.first.baseline
    monkeypatch.setenv("PYTHONPATH", str(LOCATION))
    there = replay_elsewhere(call, Elsewhere(old_python, {"trusted": True}))
    assert there["verdict"] == "equal"
    here = replay(call, trusted=True)
    assert here.differences["result"].dtype == ("datetime64[ns]", "datetime64[us]")
