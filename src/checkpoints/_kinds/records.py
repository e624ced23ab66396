"""
Records: values of classes that do nothing but hold fields.

Dataclasses, named tuples, classes of attrs, enumerations and paths are saved as the
name of their class and their fields. Loading never imports a class by a name from a
file, and runs none of its code: where the class is not imported already, or has other
fields, the value comes back as a `Record`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias, cast

from checkpoints._process.libraries import imported
from checkpoints._process.pickling import public

__all__ = ["RECORD_MARKS", "Form", "Record", "form_of", "maker_of"]

_PATHS = ("PurePosixPath", "PureWindowsPath", "PosixPath", "WindowsPath")
# A module and a name, which may have parameters in braces.
_NAME = re.compile(r"(?:(.*?)(\.))?([^.{]*(?:\{.*)?)", re.DOTALL)
_MISSING: Any = object()
_Maker: TypeAlias = Callable[[dict[str, Any]], Any]


class Record:
    """
    A saved record whose class is not imported, or has changed.

    Its fields are attributes and items.

    Args:
        type: The full name of the class.
        fields: The values by the names of the fields.

    >>> point = Record("mypkg.Point", {"x": 1, "y": 2})
    >>> point.x, point["y"], point.type
    (1, 2, 'mypkg.Point')
    """

    __slots__ = ("_fields", "type")

    def __init__(self, type: str, fields: Mapping[str, Any]) -> None:  # noqa: A002 - its natural word
        self.type = type
        self._fields = dict(fields)

    def __getattr__(self, name: str) -> Any:
        try:
            return object.__getattribute__(self, "_fields")[name]
        except (KeyError, AttributeError):
            message = f"the record has no field {name!r}"
            raise AttributeError(message) from None

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]

    def keys(self) -> list[str]:
        """Return the names of the fields; with items, so that `dict(record)` works."""
        return list(self._fields)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        return (self.type, self._fields) == (other.type, other._fields)

    def __hash__(self) -> int:
        return hash((self.type, tuple(self._fields.items())))

    def __repr__(self) -> str:
        fields = [f"{name}={value!r}" for name, value in self._fields.items()]
        return f"Record({', '.join([repr(self.type), *fields])})"

    def __reduce__(self) -> tuple[Any, ...]:
        return public(Record), (self.type, self._fields)


class Form(NamedTuple):
    """
    A value as a record.

    Args:
        mark: The key of the JSON object.
        name: The module and the name of the class.
        fields: The fields by name.
    """

    mark: str
    name: tuple[str, str]
    fields: dict[str, Any]


def form_of(value: Any) -> Form | None:
    """Return a value as a record; None if it holds more than fields."""
    cls = type(value)
    if cls is Record:
        found = _NAME.fullmatch(value.type)
        assert found is not None  # noqa: S101 - it fits any text
        module, _, name = found.groups()
        return Form("$record", (module or "", name), dict(value._fields))
    mark = _mark_of(cast(Any, cls))
    if mark is None:
        return None
    if mark == "$path":
        return Form(mark, ("pathlib", cls.__name__), {"path": str(value)})
    name = (cls.__module__, cls.__qualname__)
    # One that has no name, as in a function, could not be found again even here.
    if _imported(*name) is not cls:
        return None
    fields = _FIELDS[mark](cls, value)
    return None if fields is None else Form(mark, name, fields)


@lru_cache(maxsize=1024)
def _mark_of(cls: Any) -> str | None:
    """Return the mark of the records of a class; None if it can have none."""
    if cls.__name__ in _PATHS and cls.__module__.partition(".")[0] == "pathlib":
        return "$path"
    if _members_of(cls) is not None:
        return "$enum"
    if _names_of_tuple(cls) is not None:
        return "$namedtuple"
    is_record = _field_names(cls) is not None and _holds_only_fields(cls)
    return "$record" if is_record else None


def maker_of(
    mark: str, module: str, name: str, names: tuple[str, ...]
) -> Callable[[dict[str, Any]], Any]:
    """
    Return what makes records from their fields: as what they were, or as `Record`s.

    Args:
        mark: The key of the JSON object.
        module: The module of their class.
        name: Its name.
        names: The names of the fields.

    Raises:
        ValueError: If the mark is not one of a record.
    """
    if mark == "$path":
        return lambda fields: _path(name, fields["path"])
    make = _MAKE.get(mark)
    if make is None:
        raise ValueError(f"{mark!r:.80} is not a record")
    cls = _imported(str(module), str(name))
    made = make(cls, names) if isinstance(cls, type) else None

    def record(fields: dict[str, Any]) -> Any:
        found = _MISSING if made is None else made(fields)
        if found is _MISSING:
            return Record(f"{module}.{name}" if module else name, fields)
        return found

    return record


def _imported(module: str, name: str) -> Any:
    """Return a class that the program has imported, without running any code."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        try:
            # `vars`, because a module or a class may compute missing names.
            found = vars(found).get(part)
        except TypeError:
            return None
    return found


def _path(name: str, text: str) -> Any:
    if name not in _PATHS:
        raise ValueError(f"{name!r:.80} is not a class of paths")
    pathlib = imported("pathlib")
    cls = getattr(pathlib, name)
    # Paths of another system cannot be opened here, but read.
    is_foreign = not name.startswith("Pure") and cls is not type(pathlib.Path())
    return getattr(pathlib, f"Pure{name}")(text) if is_foreign else cls(text)


def _holds_only_fields(cls: Any) -> bool:
    """Tell whether a class leaves making, copying and deleting to Python."""
    own = (
        cls.__new__ is object.__new__
        and cls.__reduce__ is object.__reduce__
        and cls.__reduce_ex__ is object.__reduce_ex__
    )
    states = (getattr(cls, "__getstate__", None), getattr(cls, "__setstate__", None))
    generated = {"dataclasses", "attr._make"}
    return (
        own
        and not hasattr(cls, "__del__")
        and all(
            state in (None, getattr(object, "__getstate__", None))
            or getattr(state, "__module__", "") in generated
            for state in states
        )
    )


def _field_names(cls: Any) -> list[str] | None:
    """Return the names of the fields of a dataclass or a class of attrs."""
    fields = cls.__dict__.get("__dataclass_fields__")
    if fields is not None:
        return [
            name
            for name, field in fields.items()
            if getattr(field._field_type, "name", "") == "_FIELD"  # noqa: SLF001 - no public name
        ]
    attributes = cls.__dict__.get("__attrs_attrs__")
    return None if attributes is None else [field.name for field in attributes]


def _instance_fields(cls: Any, value: Any) -> dict[str, Any] | None:
    names, slots = _layout_of(cls)
    own = getattr(value, "__dict__", {})
    if not slots and tuple(own) == names:
        return dict(own)
    held = {*own} | slots
    if not held <= {*names}:
        return None
    try:
        # A field that was never set may have a default in its class.
        return {
            name: object.__getattribute__(value, name) for name in names if name in held
        }
    except AttributeError:
        return None


@lru_cache(maxsize=1024)
def _layout_of(cls: Any) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the names of the fields, and the slots."""
    slots = {
        slot
        for base in cls.__mro__
        for slot in _listed(base.__dict__.get("__slots__", ()))
    }
    names = tuple(_field_names(cls) or ())
    return names, frozenset(slots - {"__dict__", "__weakref__"})


def _listed(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _instance_maker(cls: Any, given: tuple[str, ...]) -> _Maker | None:
    names = _field_names(cls)
    if names is None or not _holds_only_fields(cls):
        return None
    expected = [name for name in names if name in given or not hasattr(cls, name)]
    if expected != [*given]:
        return None

    def make(fields: dict[str, Any]) -> Any:
        found = object.__new__(cls)
        for name, value in fields.items():
            object.__setattr__(found, name, value)
        return found

    return make


def _tuple_fields(cls: Any, value: Any) -> dict[str, Any] | None:
    names = _names_of_tuple(cls)
    if names is None or getattr(value, "__dict__", None):
        return None
    return dict(zip(names, value, strict=True)) if len(names) == len(value) else None


def _names_of_tuple(cls: Any) -> tuple[str, ...] | None:
    """Return the fields of a named tuple whose class adds no state or making."""
    names = cls.__dict__.get("_fields")
    if cls.__bases__ != (tuple,) or not isinstance(names, tuple):
        return None
    is_plain = cls.__reduce__ is object.__reduce__ and not hasattr(cls, "__del__")
    return names if is_plain and hasattr(cls, "_make") else None


def _tuple_maker(cls: Any, given: tuple[str, ...]) -> _Maker | None:
    if _names_of_tuple(cls) != given:
        return None
    return lambda fields: tuple.__new__(cls, fields.values())


def _member_fields(cls: Any, value: Any) -> dict[str, Any] | None:
    members = _members_of(cls)
    name = getattr(value, "_name_", None)
    if members is None or name not in members or members[name] is not value:
        return None
    return {"name": name, "value": value._value_}


def _members_of(cls: Any) -> dict[str, Any] | None:
    enum = sys.modules.get("enum")
    is_enum = enum is not None and isinstance(cls, enum.EnumMeta)
    return cls.__dict__.get("_member_map_") if is_enum else None


def _member_maker(cls: Any, _: tuple[str, ...]) -> _Maker | None:
    members = _members_of(cls)
    if members is None:
        return None

    def make(fields: dict[str, Any]) -> Any:
        found = members.get(fields["name"], _MISSING)
        is_same = found is not _MISSING and (
            type(found._value_) is type(fields["value"])
            and found._value_ == fields["value"]
        )
        return found if is_same else _MISSING

    return make


_FIELDS: dict[str, Callable[[Any, Any], dict[str, Any] | None]] = {
    "$enum": _member_fields,
    "$namedtuple": _tuple_fields,
    "$record": _instance_fields,
}
_MAKE: dict[str, Callable[[Any, tuple[str, ...]], _Maker | None]] = {
    "$enum": _member_maker,
    "$namedtuple": _tuple_maker,
    "$record": _instance_maker,
}
RECORD_MARKS = frozenset({"$path", *_MAKE})
