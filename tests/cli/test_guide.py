"""The guide to the command line: its commands print the output that it shows."""

from __future__ import annotations

import doctest
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import checkpoints

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "look.md"
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FLAGS = doctest.ELLIPSIS


def typed(source):
    """Yield each command of a block, and its expected output."""
    for part in re.split(r"^\$ ", source, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def test_it_is_true(tmp_path):
    pytest.importorskip("click", reason="it reads the arguments")
    pytest.importorskip("rich", reason="it prints the tables")
    pytest.importorskip("numpy", reason="the guide saves arrays")
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(checkpoints.__file__).parents[1]),
        "PYTHONUTF8": "1",
    }
    blocks = BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    told = io.StringIO()
    for language, source in blocks:
        if language == "python":
            command = [sys.executable, "-c", source]
            subprocess.run(command, cwd=tmp_path, env=environment, check=True)
            continue
        for command, wanted in typed(source):
            found = subprocess.run(
                command.replace("checkpoints", f"{sys.executable} -m checkpoints", 1),
                shell=True,
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                encoding="utf-8",
                check=False,
            )
            if not doctest.OutputChecker().check_output(wanted, found.stdout, FLAGS):
                told.write(f"$ {command}\n{found.stdout}{found.stderr}\n")
    assert [language for language, _ in blocks].count("console") == 7
    assert told.getvalue() == ""
