"""What is saved inside a block, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from checkpoints._dict_handler import DictHandler
from checkpoints._registry import registry
from checkpoints._settings import CAPTURE

__all__ = ["capture"]


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
    rule = registry.made(names, handler, {"on_error": "raise"})
    rule.layer = CAPTURE
    registry.add(rule)
    with rule:
        yield handler
