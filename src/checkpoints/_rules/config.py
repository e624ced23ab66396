"""Rules made by a program: `config` and `capture`, and the options they take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, overload

from checkpoints._handlers.file import FileHandler
from checkpoints._handlers.handler import Handler
from checkpoints._handlers.memory import DictHandler
from checkpoints._handlers.target import Target, handlers_for
from checkpoints._rules.idleness import idleness_of
from checkpoints._rules.narrowing import Narrowing
from checkpoints._rules.registry import registry
from checkpoints._rules.rule import Rule
from checkpoints._rules.settings import CAPTURE
from checkpoints.errors import ConfigError

__all__ = ["capture", "config", "known_options", "made", "split_options"]


@overload
def config(names: str | Iterable[str], target: Target, /, **options: Any) -> Rule: ...
@overload
def config(handler: Handler, names: str | Iterable[str], /, **options: Any) -> Rule: ...
def config(names: Any, target: Any, /, **options: Any) -> Rule:
    """
    Make a rule: where the data of these checkpoints goes from now on.

    It holds for names that are registered later as well. Where several rules cover a
    name, the last one counts. `config(handler, names)` is the same the other way
    round.

    Args:
        names: A pattern, or a list of exact names. A pattern is a name, which covers
            all below it too (`"shop"` covers `shop.total`, not `shopping`), or a glob
            (`*`, `?`, `[...]`; `*` crosses dots).
        target: A path, a handler, a function `f(key, data)`, a list of these (each
            gets the data), or None to switch the names off.
        **options: `where`, the tags that have to match: a mapping of names to values
            (or to lists of values, any of which will do; texts may be globs, or
            compare, as `">3"` and `"3..7"` do), or a function of the pairs; calls
            that do not match are for the rules before. `every=n`, save the first call
            of each name and each n-th after it. `limit=n`, save n times for each
            name. `values`, `transform`, `summary`, `max_bytes` and `max_total_bytes`
            narrow the data, in this order: which of the values are saved, a function
            that makes others of them, statistics in place of them, how large they may
            be. `on_error`: a save that fails is told to the log (`"warn"`, the
            default), raises (`"raise"`), or is passed over (`"ignore"`). And for a
            path, those of `FileHandler`.

    Returns:
        The rule. `rule.remove()` takes it back, and `with config(...):` does so at
        the end of the block.

    Raises:
        ConfigError: If the pattern, the target or an option cannot be.

    >>> from checkpoints import checkpoint
    >>> with config("shop", lambda key, data: print(key.name, data)):
    ...     checkpoint("shop.total", 12)
    shop.total {'data': 12}
    """
    if isinstance(names, Handler):
        names, target = target, names
    rule = made(names, target, options)
    registry.add(rule)
    return rule


@contextmanager
def capture(
    names: str | Iterable[str] = "*", *, copy: bool = True
) -> Iterator[DictHandler]:
    """
    Keep in memory what is saved inside the block, and see it.

    A save that fails raises, and rules made before do not see these names meanwhile.
    Where a key is saved twice the last one is kept, with a warning.

    Args:
        names: A pattern, or a list of exact names, as for `config`.
        copy: Keep the values as they are now, not as they become.

    Yields:
        A mapping of paths, such as `"fold=1/mypkg/fit"`, to values by name.

    >>> from checkpoints import checkpoint
    >>> with capture("shop") as seen:
    ...     checkpoint("shop.total", 12)
    >>> list(seen)
    ['shop/total']
    """
    handler = DictHandler(force=True, copy=copy)
    rule = made(names, handler, {"on_error": "raise"})
    rule.layer = CAPTURE
    registry.add(rule)
    with rule:
        yield handler


def made(names: str | Iterable[str], target: Target, options: dict[str, Any]) -> Rule:
    """
    Return a rule that is not in force yet.

    Args:
        names: As for `config`.
        target: As for `config`.
        options: Those of the rule, and for a path those of `FileHandler`.

    Raises:
        ConfigError: If the pattern, the target or an option cannot be.
    """
    of_rule, of_files = split_options(options)
    handlers = handlers_for(target, of_files)
    rule = Rule(names, handlers, explain=idleness_of, **of_rule)
    if rule.narrowing is not None:
        rule.narrowing.load()
    return rule


def known_options() -> tuple[str, ...]:
    """Return the names of all options that a rule with a path can have."""
    return (*Rule.OPTIONS, *FileHandler.OPTIONS)


def split_options(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Tell the options of a rule from those of a file handler.

    Raises:
        ConfigError: If an option is neither's.
    """
    known = known_options()
    for option in options:
        if option not in known:
            message = f"option {option!r} is not known; there are: {', '.join(known)}"
            raise ConfigError(message)
    of_rule = {name: value for name, value in options.items() if name in Rule.OPTIONS}
    of_files = {name: value for name, value in options.items() if name not in of_rule}
    narrow = {name: of_rule.pop(name) for name in Narrowing.OPTIONS if name in of_rule}
    if narrow:
        of_rule["narrowing"] = Narrowing(**narrow)
    return of_rule, of_files
