"""
Draw the picture of the first page: what `checkpoints diff` prints in the demo.

`python docs/picture.py` draws it anew, for light and for dark pages.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

HERE = Path(__file__).parent / "_static"
THEMES = {
    "light": {
        "back": "#f6f8fa",
        "text": "#1f2328",
        "mark": "#cf222e",
        "dim": "#656d76",
    },
    "dark": {
        "back": "#161b22",
        "text": "#e6edf3",
        "mark": "#ff7b72",
        "dim": "#8b949e",
    },
}
WIDTH, LINE, MARGIN = 8.43, 20, 20
MOST_LETTERS = 100
# Others are drawn as one, however many there are.
NO_BREAK = "\u00a0"
# What differs from run to run.
CHANGING = {
    r"   [0-9.]+ s$": "   0.1 s",
    r"20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8}": "2026-03-02 08:15:00",
}
RUN = r"20[0-9]{6}-[0-9]{6}-[0-9a-f]{6}"
# Of the baseline and of the candidate.
RUNS = ("20260302-081500-4c1f9a", "20260302-081500-b27e05")


def lines() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "checkpoints", "demo", "story"]
        told = subprocess.run(  # noqa: S603 - our own words
            command, cwd=folder, check=True, capture_output=True, encoding="utf-8"
        )
    report = told.stdout[told.stdout.index("$ checkpoints diff") :]
    report = report.replace(f"{os.path.realpath(folder)}/story/", "")
    for pattern, text in CHANGING.items():
        report = re.sub(pattern, text, report, flags=re.MULTILINE)
    for run, name in zip(dict.fromkeys(re.findall(RUN, report)), RUNS, strict=True):
        report = report.replace(run, name)
    found = (
        report.partition("\nThe program and")[0]
        .partition("\n  next ")[0]
        .rstrip()
        .splitlines()
    )
    return [line[:MOST_LETTERS] for line in found]


def picture(text: list[str], theme: dict[str, str]) -> str:
    width = 2 * MARGIN + WIDTH * max(map(len, text))
    height = 2 * MARGIN + LINE * len(text)
    rows = [
        f'<text x="{MARGIN}" y="{MARGIN + LINE * number - 6}" '
        f'fill="{theme[style_of(line)]}">{escape(line).replace(" ", NO_BREAK)}</text>'
        for number, line in enumerate(text, 1)
        if line
    ]
    box = f'viewBox="0 0 {width:.0f} {height}" width="{width:.0f}"'
    font = 'font-family="ui-monospace,Menlo,Consolas,monospace" font-size="14"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {box}>',
            f'<rect width="100%" height="100%" rx="8" fill="{theme["back"]}"/>',
            f"<g {font}>",
            *rows,
            "</g></svg>\n",
        ]
    )


def style_of(line: str) -> str:
    if line.startswith("DIFFERENT") or "EARLIEST" in line:
        return "mark"
    return "dim" if line.startswith("$") else "text"


def pictures() -> dict[Path, str]:
    text = lines()
    return {
        HERE / f"diff-{name}.svg": picture(text, theme)
        for name, theme in THEMES.items()
    }


if __name__ == "__main__":
    for path, drawn in pictures().items():
        path.write_text(drawn, encoding="utf-8")
