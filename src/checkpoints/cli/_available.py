"""`checkpoints available PACKAGE`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import click

from checkpoints._process.variables import TO
from checkpoints._rules.settings import DEFAULT_TARGET, Setting
from checkpoints._text import printable
from checkpoints.cli._completion import complete_module
from checkpoints.cli._declarations import (
    Declaration,
    Unreadable,
    declarations_in,
    modules_beside,
    sources_of,
)
from checkpoints.cli._plan import Settings
from checkpoints.cli._probeable import Probeable, probeable_in
from checkpoints.cli._screen import warn

__all__ = ["available"]

_EXAMPLES = """\b
Examples:
  checkpoints available mypkg
  checkpoints available mypkg.sub --rule 'mypkg.*=./out' --json
  checkpoints available --probes mypkg
"""
_UNKNOWN = "?"


@click.command(epilog=_EXAMPLES)
@click.argument("package", shell_complete=complete_module)
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="RULE",
    help="A rule to try. Can be repeated.",
)
@click.option("--config", metavar="FILE", help="A TOML file with rules to try.")
@click.option(
    "--probes",
    "of_probes",
    is_flag=True,
    help="List what --probe of `checkpoints run` can name instead: the public "
    "functions and methods.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def available(
    context: click.Context,
    package: str,
    *,
    rules: tuple[str, ...],
    config: str | None,
    of_probes: bool,
    as_json: bool,
) -> None:
    """
    List the save points that a package declares.

    The source code is read, not run. Each name is shown with the file and line of its
    first call, or of its @probed; `?` stands for a name that is known only when the
    program runs. If there are rules, given here or in the environment, the rule that
    applies to each name is shown too.

    The exit code is 0, or 2 if there is no such package or a rule is invalid.
    """
    if of_probes:
        _list_probeable(package, as_json=as_json)
        context.exit(0)
    default = os.environ.get(TO) or DEFAULT_TARGET
    settings = Settings(rules, config, default)
    found: list[Declaration] = []
    sources = _sources(package)
    for file, module in sources:
        for declaration in declarations_in(file, module):
            if isinstance(declaration, Unreadable):
                warn(f"skipped {declaration.file}: {declaration.reason}")
            else:
                found.append(declaration)
    points = _points(found, settings)
    if as_json:
        click.echo(json.dumps(points, indent=2, default=str))
    else:
        for line in _table(points, with_rules=bool(list(settings))):
            click.echo(printable(line))
        if not points:
            warn(
                f"no save points found in the source code of {package}{_hint(sources)}"
            )
    context.exit(0)


def _list_probeable(package: str, *, as_json: bool) -> None:
    found: list[Probeable] = []
    for file, module in _sources(package):
        try:
            found += probeable_in(file, module)
        except (OSError, SyntaxError, ValueError, RecursionError) as error:
            warn(f"skipped {file}: {type(error).__name__}: {error}")
    if as_json:
        click.echo(json.dumps([it._asdict() for it in found], indent=2))
        return
    width = max((len(it.target) for it in found), default=0)
    for it in found:
        place = f"{os.path.relpath(it.file)}:{it.line}"
        click.echo(printable(f"{it.target:{width}}  {place}"))
    if not found:
        warn(f"no public functions found in the source code of {package}")


def _sources(package: str) -> list[tuple[str, str]]:
    try:
        return list(sources_of(package))
    except ModuleNotFoundError as error:
        message = printable(str(error))
        raise click.BadParameter(message, param_hint="'PACKAGE'") from error


def _hint(sources: Iterable[tuple[str, str]]) -> str:
    """Return where else to look: in what the sources import from their folder."""
    modules: dict[str, None] = {}
    for file, _ in sources:
        with suppress(OSError, SyntaxError, ValueError, RecursionError):
            modules.update(dict.fromkeys(modules_beside(file)))
    listed = ", ".join(modules)
    return f"; it imports {listed}: try one of these" if modules else ""


def _points(found: Iterable[Declaration], settings: Settings) -> list[dict[str, Any]]:
    """Return a row for each name, and one for each call whose name is unknown."""
    calls: dict[object, list[Declaration]] = {}
    for declaration in found:
        key = declaration.name or (declaration.file, declaration.line)
        calls.setdefault(key, []).append(declaration)
    return sorted(
        (_point(declared, settings) for declared in calls.values()),
        key=lambda point: (point["name"] is None, point["name"] or "", point["file"]),
    )


def _point(declared: list[Declaration], settings: Settings) -> dict[str, Any]:
    # The line that saves tells more than the one that registers the name.
    declared = sorted(declared, key=lambda call: call.function == "register")
    name = declared[0].name
    rule = settings.covering(name) if name is not None else None
    return {
        "name": name,
        "file": declared[0].file,
        "line": declared[0].line,
        "rule": rule and _as_dict(rule),
        "places": [
            {"file": call.file, "line": call.line, "function": call.function}
            for call in declared
        ],
    }


def _as_dict(rule: Setting) -> dict[str, Any]:
    return {"source": rule.source, "target": rule.target, "options": dict(rule.options)}


def _table(points: list[dict[str, Any]], *, with_rules: bool) -> list[str]:
    rows = [
        [
            point["name"] or _UNKNOWN,
            f"{os.path.relpath(point['file'])}:{point['line']}",
            _rule_text(point["rule"]) if with_rules else "",
        ]
        for point in points
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    return [
        f"{name:{widths[0]}}  {place:{widths[1]}}  {rule}".rstrip()
        for name, place, rule in rows
    ]


def _rule_text(rule: dict[str, Any] | None) -> str:
    if rule is None:
        return "no rule"
    verb = "switched off" if rule["target"] is None else "saved"
    return f"{verb} by {rule['source']}"
