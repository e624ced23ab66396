"""The calls of a function: which of them are saved, and what their arguments are."""

from __future__ import annotations

import functools
import inspect
import itertools
import os
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from checkpoints._keys.key import checked_name
from checkpoints._keys.tags import TagPairs, current_tags, is_awaitable
from checkpoints._kinds.plain import IMMUTABLE
from checkpoints._probes.attribute import is_on
from checkpoints._probes.call import Call, CallNumber, Choice, handle, saving
from checkpoints._probes.stand_in import call_inside
from checkpoints._process.exit import is_first_process
from checkpoints._process.forks import after_fork_in_child
from checkpoints._process.libraries import imported
from checkpoints._process.work import at_work
from checkpoints._rules.chain import refuse
from checkpoints._rules.occasion import Occasion
from checkpoints._rules.registry import registry
from checkpoints._rules.rule import Rule
from checkpoints._rules.switch import Switch
from checkpoints._text import shown
from checkpoints.errors import ConfigError

__all__ = ["CallSaver", "Given", "checked_signature"]

# Stands for a turn that is not known yet.
OPEN = -1

Given: TypeAlias = "tuple[dict[str, Any], tuple[str, ...]]"

_numbers: dict[str, Iterator[int]] = {}
after_fork_in_child(_numbers.clear)


class CallSaver:
    """
    Saves the calls of a function under a name.

    Args:
        name: The name to save under.
        function: The function, used for its signature and its kind only.
        of_class: Whether it is a class method, whose first argument is a class.
        subclass: Save only calls on this class and on what inherits from it.
        changed: Called when a rule for the name comes or goes. Then the function is not
            kept alive, nor are its defaults.
        called: Where it is found, if its name does not say so; as for `Origin`.

    Attributes:
        subclass: That class, weak.

    Raises:
        ConfigError: If the name is invalid, or the function has no signature.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        *,
        of_class: bool = False,
        subclass: type | None = None,
        changed: Callable[[], object] | None = None,
        called: str = "",
    ) -> None:
        self.name = checked_name(name)
        self._called = called
        self.is_active = True
        signature = checked_signature(function)
        self._signature = None if changed else signature
        self._of_class = next(iter(signature.parameters), "") if of_class else ""
        self.subclass = None if subclass is None else weakref.ref(subclass)
        # How a function runs whose body runs after the call has returned.
        self._later = ""
        if inspect.iscoroutinefunction(function):
            self._later = "awaited"
        elif inspect.isgeneratorfunction(function):
            self._later = "resumed" if is_awaitable(function) else "stepped"
        elif inspect.isasyncgenfunction(function):
            self._later = "streamed"
        registry.names.add(self.name)
        self._switch = Switch(self.name, changed)
        registry.connect(self._switch)

    def is_on(self) -> bool:
        """Tell whether a rule may save a call; otherwise the wrapper does nothing."""
        return self._switch.on and self.is_active

    def wants(self, values: tuple[Any, ...]) -> bool:
        """Tell whether a call is on the class that is meant."""
        if self.subclass is None:
            return True
        return is_on(self.subclass(), values, of_class=bool(self._of_class))

    def run(
        self,
        function: Callable[..., Any],
        _instance: object,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Call the function and save the call; the signature is that of wrapt."""
        call = None
        turn = self.early_turn() if self.wants(args) else None
        if turn is not None:
            call = self.begin(lambda: self.bound(function, args, kwargs), turn)
        if self._later:
            if call is None:
                return function(*args, **kwargs)
            return _named_like(function, self._run_later(call, function, args, kwargs))
        if call is None:
            return call_inside(function, args, kwargs)
        try:
            call.enter()
            result = call_inside(function, args, kwargs)
        except BaseException as error:
            call.failed(error, function)
            raise
        call.returned(result)
        return result

    def _run_later(self, call: Call, function: Any, args: Any, kwargs: Any) -> Any:
        run = functools.partial(function, *args, **kwargs)
        return getattr(call, self._later)(run() if self._later == "streamed" else run)

    def early_turn(
        self, names: Sequence[str] = (), values: Sequence[Any] = ()
    ) -> int | None:
        """
        Count a call, if it is known at once whether it is saved.

        Args:
            names: The names of values that are known.
            values: The values.

        Returns:
            Its turn, for `begin`; None if it is not saved, and `OPEN` if it was not
            counted.
        """
        plan: Any = registry.plans.get(self.name)
        if type(plan) is not tuple:
            return OPEN
        rule, turn = plan[0], None
        if rule.is_simple and rule.accepted:
            turn = rule.turn(self.name)
        elif not rule.refusal.is_possible or not refuse(
            plan, current_tags(), names, values
        ):
            return OPEN
        if turn is None:
            self._number()
        return turn

    def _number(self) -> int:
        numbers = _numbers.get(self.name)
        return next(numbers or _numbers.setdefault(self.name, itertools.count(1)))

    def begin(self, given: Callable[[], Given | None], turn: int = OPEN) -> Call | None:
        """
        Save the arguments of a call.

        Args:
            given: Returns the arguments by name, and which are defaults; None if the
                call will fail.
            turn: As `early_turn` returned it.

        Returns:
            The call, which saves its result; None if it is not saved.

        Raises:
            Exception: The error of a failed save, under a rule with `on_error="raise"`.
        """
        # A save may itself call probed functions.
        if not self.is_on() or at_work.depth:
            return None
        choice, asked = self._asked(given, turn)
        if choice is None or asked is None:
            return None
        call = None
        with saving(choice.name, choice.plan):
            if (found := asked.given) is not None:
                values, defaults = self._to_save(*found)
                call = Call(
                    choice, asked.own, current_tags(), self._later, self._called
                )
                call.began(values, defaults)
        return call

    def _asked(
        self, given: Callable[[], Given | None], turn: int
    ) -> tuple[Choice | None, _Asked | None]:
        """Return what saves a call, if anything does, and what is known about it."""
        name, plan = self.name, None
        # No context manager: most calls end here, under `given` or `caller`.
        try:
            with at_work:
                name, plan = registry.lookup(name)
                if plan is None:
                    return None, None
                number = self._number()
                asked = _Asked(self.name, number, given)
                if turn != OPEN:
                    return Choice(name, plan[0], plan, turn, number), asked
                return _choice(name, plan, number, asked), asked
        except Exception as error:  # noqa: BLE001 - handled as the rules say
            handle(name, plan, error)
            return None, None

    def _to_save(self, given: dict[str, Any], defaults: tuple[str, ...]) -> Given:
        # A default of another type is likely a marker for "not given"; saved as a
        # pickle, it would make the others harder to load.
        values = {
            name: _place_of(value) if name == self._of_class else value
            for name, value in given.items()
            if name not in defaults or _is_plain(value)
        }
        return values, tuple(name for name in defaults if name in values)

    def bound(
        self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Given | None:
        """Return arguments by the names of the signature, and which are defaults."""
        signature = self._signature or checked_signature(function)
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            # A decorated function may take other arguments than its signature shows.
            return None if self._later else ({"args": args, "kwargs": kwargs}, ())
        given = bound.arguments
        parameters = signature.parameters.items()
        values = {name: given.get(name, it.default) for name, it in parameters}
        # Variadic ones that got nothing have no default.
        kept = {
            name: it for name, it in values.items() if it is not inspect.Parameter.empty
        }
        return kept, tuple(name for name in kept if name not in given)


class _Asked(Occasion):
    """The occasion of a call, with the tags that it will have itself."""

    __slots__ = ("_found", "_given", "_name", "_number", "_own")

    def __init__(
        self, name: str, number: int, given: Callable[[], Given | None]
    ) -> None:
        self._name, self._number, self._given = name, number, given
        self._found: Given | None = None
        self._own: TagPairs = ()

    @property
    def own(self) -> TagPairs:
        """The tags that the call adds."""
        if not self._own:
            tag = ("call", CallNumber.of(self._name, self._number))
            self._own = (*_process_tag(current_tags()), tag)
        return self._own

    @property
    def given(self) -> Given | None:
        """The arguments, and which are defaults."""
        if self._found is None:
            self._found = self._given()
        return self._found

    @property
    def pairs(self) -> TagPairs:
        """The tags."""
        return current_tags() + self.own

    @property
    def has_values(self) -> bool:
        """Whether the values are known."""
        return self.given is not None

    def values(self, names: Mapping[str, object]) -> TagPairs:
        """Return the values of these names as pairs."""
        return Occasion(tuple, lambda: (self.given or ({}, ()))[0]).values(names)


def _choice(
    name: str, plan: tuple[Rule, ...], number: int, occasion: Occasion
) -> Choice | None:
    rule = registry.accepting(name, plan, occasion)
    if rule is None:
        return None
    if rule.is_deferred:
        is_over = name in rule.used_up
        return None if is_over else Choice(name, rule, plan, None, number)
    turn = registry.turn(rule, name, plan)
    return None if turn is None else Choice(name, rule, plan, turn, number)


def checked_signature(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a function; `ConfigError` if Python cannot read it."""
    options: dict[str, Any] = {}
    if sys.version_info >= (3, 14):
        # Annotations may use names that exist for type checkers only.
        annotation_format = imported("annotationlib").Format.FORWARDREF
        options["annotation_format"] = annotation_format
    try:
        return inspect.signature(function, **options)
    except Exception as error:
        message = (
            f"cannot probe {shown(function)}: Python cannot read its signature, which "
            "functions written in C may lack. Name the Python function that calls it"
        )
        raise ConfigError(message) from error


def _process_tag(outer: TagPairs) -> TagPairs:
    """Return the tag `process`, unless this is the first process or has the tag."""
    tag = ("process", os.getpid())
    return () if is_first_process() or tag in outer else (tag,)


def _is_plain(default: object) -> bool:
    items = default if isinstance(default, tuple) else (default,)
    return all(type(item) in IMMUTABLE for item in items)


def _place_of(value: Any) -> Any:
    """Return a class as text, also where it is the first of `*args`."""
    if isinstance(value, tuple):
        return (*map(_place_of, value[:1]), *value[1:])
    if isinstance(value, type):
        return f"{value.__module__}:{value.__qualname__}"
    return value  # the function was called by itself


def _named_like(function: Callable[..., Any], made: Any) -> Any:
    made.__name__ = getattr(function, "__name__", made.__name__)
    made.__qualname__ = getattr(function, "__qualname__", made.__qualname__)
    return made
