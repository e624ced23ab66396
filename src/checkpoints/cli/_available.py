"""`checkpoints available PACKAGE`."""

from __future__ import annotations

import json
import os
import pkgutil
from collections.abc import Iterable
from typing import Any

import click

from checkpoints._process.variables import TO
from checkpoints._rules.settings import Setting
from checkpoints._text import printable
from checkpoints.cli._declarations import (
    Declaration,
    Unreadable,
    declarations_in,
    sources_of,
)
from checkpoints.cli._plan import DEFAULT_ROOT, Settings

__all__ = ["available"]

_EXAMPLES = """\b
Examples:
  checkpoints available mypkg
  checkpoints available mypkg.sub --rule 'mypkg.*=./out' --json
"""
_UNKNOWN = "?"


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    names = {it.name for it in pkgutil.iter_modules()}
    return sorted(name for name in names if name.startswith(incomplete))


@click.command(epilog=_EXAMPLES)
@click.argument("package", shell_complete=_complete)
@click.option("--rule", "rules", multiple=True, metavar="RULE", help="A rule to try.")
@click.option("--config", metavar="FILE", help="A TOML file of rules to try.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.pass_context
def available(
    context: click.Context,
    package: str,
    *,
    rules: tuple[str, ...],
    config: str | None,
    as_json: bool,
) -> None:
    """
    List the save points that a package declares, without running it.

    Each name comes with the file and the line of its first call. A `?` is a name that
    is made only when the program runs. Where rules are given, here or by the
    environment, each name comes with the rule that would catch it.

    The exit code is 0, or 2 if there is no such package or a rule cannot be read.
    """
    default = os.environ.get(TO) or DEFAULT_ROOT
    settings = Settings(rules, config, default)
    found: list[Declaration] = []
    for file, module in _sources(package):
        for each in declarations_in(file, module):
            if isinstance(each, Unreadable):
                message = f"{each.file} was passed over: {each.reason}"
                click.echo(printable(message), err=True)
            else:
                found.append(each)
    points = _points(found, settings)
    if as_json:
        click.echo(json.dumps(points, indent=2, default=str))
    else:
        for line in _table(points, with_rules=bool(list(settings))):
            click.echo(printable(line))
        if not points:
            message = f"{package} declares no save points that its source tells of"
            click.echo(message, err=True)
    context.exit(0)


def _sources(package: str) -> list[tuple[str, str]]:
    try:
        return list(sources_of(package))
    except ModuleNotFoundError as error:
        message = printable(str(error))
        raise click.BadParameter(message, param_hint="PACKAGE") from error


def _points(found: Iterable[Declaration], settings: Settings) -> list[dict[str, Any]]:
    """Return a row for each name, and one for each place of an unknown name."""
    places: dict[object, list[Declaration]] = {}
    for each in found:
        places.setdefault(each.name or (each.file, each.line), []).append(each)
    return sorted(
        (_point(declared, settings) for declared in places.values()),
        key=lambda point: (point["name"] is None, point["name"] or "", point["file"]),
    )


def _point(declared: list[Declaration], settings: Settings) -> dict[str, Any]:
    # Where it is saved says more than where it is registered.
    declared = sorted(declared, key=lambda each: each.function == "register")
    name = declared[0].name
    rule = settings.covering(name) if name is not None else None
    return {
        "name": name,
        "file": declared[0].file,
        "line": declared[0].line,
        "rule": rule and _described(rule),
        "places": [
            {"file": it.file, "line": it.line, "function": it.function}
            for it in declared
        ],
    }


def _described(rule: Setting) -> dict[str, Any]:
    return {"source": rule.source, "target": rule.target, "options": dict(rule.options)}


def _table(points: list[dict[str, Any]], *, with_rules: bool) -> list[str]:
    rows = [
        [
            point["name"] or _UNKNOWN,
            f"{os.path.relpath(point['file'])}:{point['line']}",
            _fate(point["rule"]) if with_rules else "",
        ]
        for point in points
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    return [
        f"{name:{widths[0]}}  {place:{widths[1]}}  {fate}".rstrip()
        for name, place, fate in rows
    ]


def _fate(rule: dict[str, Any] | None) -> str:
    if rule is None:
        return "no rule"
    return f"{'off by' if rule['target'] is None else 'saved by'} {rule['source']}"
