"""`checkpoints bisect ENTRY --good REV --bad REV`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing

import click

from checkpoints._replay.bisection import Bisection, bisect_call
from checkpoints._show.replay import replay_document, replay_report
from checkpoints._text import printable
from checkpoints.cli._failures import COULD_NOT_RUN
from checkpoints.cli._given import not_empty
from checkpoints.cli._replay import Options, call_options, chosen_call, replay_options
from checkpoints.cli._screen import Screen, warn

__all__ = ["bisect"]

_EXAMPLES = """\b
Examples:
  checkpoints bisect saved/call=7/mypkg/fit.ckpt.zip --good v1.2 --bad HEAD --trusted
  checkpoints bisect saved mypkg.fit --where call=7 --good v1.2 --bad HEAD --trusted
"""
_ENDS = ("good", "bad")


@click.command(epilog=_EXAMPLES)
@call_options
@click.option(
    "--good", required=True, metavar="REV", help="A revision before the change."
)
@click.option("--bad", required=True, metavar="REV", help="A revision after it.")
@replay_options
@click.option(
    "--python",
    metavar="VENV",
    callback=not_empty,
    help="The environment, or Python, to use.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bisect(
    *,
    entry: tuple[str, ...],
    where: tuple[str, ...],
    latest: bool,
    good: str,
    bad: str,
    options: Options,
    python: str,
    as_json: bool,
) -> None:
    """
    Find the commit from which on a saved call does something else.

    The call is replayed at revisions of the git repository that its function is in,
    each in a temporary folder, as `git bisect run` would. The entry may have been saved
    at either end. The repository and its local changes are not touched.

    The exit code is 0 if the commit is found; 2 if both ends do the same, or it cannot
    be told.
    """
    call = chosen_call(entry, where, latest=latest)
    how = options.elsewhere(call, python)
    steps: list[Bisection] = []
    told: set[str] = set()
    # So that an interrupt, too, removes the temporary folder.
    with closing(bisect_call(call, good, bad, how)) as found:
        for step in found:
            steps.append(step)
            if step.word == "maybe":
                continue
            warn(f"{step.word:9}  {step.commit}  {step.call['verdict']}")
            for warning in step.call.get("warnings", ()):
                if warning not in told:
                    warn(f"warning    {warning}")
                told.add(warning)
            if len(steps) == len(_ENDS):
                _warn_of_ends(steps)
    if as_json:
        click.echo(json.dumps([step._asdict() for step in steps], indent=1))
    else:
        _print(steps)
    if steps[-1].word == "maybe":
        raise SystemExit(COULD_NOT_RUN)


def _warn_of_ends(steps: Sequence[Bisection]) -> None:
    """Say so if the call is that of the bad end: the ends may be exchanged."""
    if steps[0].call["verdict"] == "different":
        warn(
            "the good end differs from the saved call, and the bad end does what it "
            "did: that is right for a call saved at the bad end; else exchange --good "
            "and --bad"
        )


def _print(steps: Sequence[Bisection]) -> None:
    screen, last = Screen(), steps[-1]
    maybe = [step for step in steps if step.word == "maybe"]
    tested = len(steps) - (len(maybe) or 1)
    which = " or ".join(step.commit for step in maybe) or last.commit
    headline = f"FIRST BAD  {which}   ({tested} revisions tested)"
    screen.line(screen.styled(printable(headline), "red"))
    for step in maybe:
        if step.call["verdict"] == "unknown":
            screen.line(printable(f"  skipped    {step.commit}: {step.call['why']}"))
    if last.call["verdict"] != "unknown":
        screen.report(replay_report(replay_document([last.call]), screen.width))
