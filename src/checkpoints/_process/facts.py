"""What other parts of this library tell about the program, for the record of a run."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["end_facts", "facts"]

# By field, when the program starts to save,
facts: dict[str, Callable[[], object]] = {}
# and when it ends.
end_facts: dict[str, Callable[[], object]] = {}
