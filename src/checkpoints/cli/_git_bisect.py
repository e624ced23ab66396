"""A command for `git bisect run`, which takes 1 to 124 for a bad revision."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

import checkpoints
from checkpoints.cli._failures import COULD_NOT_RUN, failure_of

__all__ = ["BisectCommand", "exit_code"]

_OPTION = "--bisect"
_CANNOT_TEST = 125


def exit_code(code: int, *, is_bisecting: bool) -> int:
    """Return an exit code, or for `git bisect run` that a revision cannot be tested."""
    return _CANNOT_TEST if is_bisecting and code == COULD_NOT_RUN else code


class BisectCommand(click.Command):
    """
    A command of which 1 is an answer, so that no error may end with it.

    An error ends with 2, and with 125 if the option `--bisect` is given.
    """

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Parse the arguments."""
        with _no_answer(is_bisecting=_OPTION in _options(args)):
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _no_answer(is_bisecting=ctx.params["bisect"]):
            return super().invoke(ctx)


def _options(args: Sequence[str]) -> Sequence[str]:
    return args[: args.index("--")] if "--" in args else args


@contextmanager
def _no_answer(*, is_bisecting: bool) -> Iterator[None]:
    """End with the exit code for errors, whatever the error."""
    code = exit_code(COULD_NOT_RUN, is_bisecting=is_bisecting)
    try:
        yield
    except (click.exceptions.Exit, BrokenPipeError):
        raise
    except click.ClickException as error:
        error.show()
        raise click.exceptions.Exit(code) from error
    except (checkpoints.CheckpointError, OSError) as error:
        failure_of(error).show()
        raise click.exceptions.Exit(code) from error
    except Exception as error:
        # Python would end with 1.
        traceback.print_exc()
        raise click.exceptions.Exit(code) from error
