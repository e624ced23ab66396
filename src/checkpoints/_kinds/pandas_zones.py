"""Time zones of pandas as plain values, for the libraries that zones come from."""

from __future__ import annotations

import datetime
from contextlib import suppress
from typing import Any

from checkpoints._kinds.plain import named_zone
from checkpoints._process.libraries import needed

__all__ = ["zone_from_parts", "zone_to_parts"]

_PYTZ = "loading a time zone of pytz"


def zone_to_parts(zone: Any) -> Any:
    """
    Return what makes a time zone again, as a list of plain values.

    Args:
        zone: A `tzinfo`, or None.

    Returns:
        The way to make it and the arguments; None for None, and the zone itself if no
        name or offset makes it.

    Example:
        >>> zone_to_parts(datetime.UTC)
        ['offset', datetime.timedelta(0)]
    """
    if zone is None:
        return None
    library = type(zone).__module__.partition(".")[0]
    parts: list[Any] = []
    if type(zone) is datetime.timezone:
        parts = ["offset", *zone.__getinitargs__()]  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    elif library == "zoneinfo":
        parts = ["zoneinfo", zone.key]
    elif library == "pytz" and getattr(zone, "zone", None):
        parts = ["pytz", zone.zone]
    elif library == "dateutil" and type(zone).__name__ == "tzutc":
        parts = ["dateutil utc"]
    elif library == "pytz" and hasattr(zone, "_minutes"):
        parts = ["pytz offset", zone._minutes]  # noqa: SLF001 - pytz has no public name for it
    # A zone that was read from a file may have the key of another one.
    return parts if parts and _is_same(zone, _remade(parts)) else zone


def zone_from_parts(parts: Any) -> Any:
    """
    Return the time zone of `zone_to_parts`.

    Raises:
        ValueError: If the parts are none of a zone.
        MissingDependencyError: If its library or its data is missing here.
    """
    if not isinstance(parts, list):
        return parts
    make, *arguments = parts
    if make == "offset":
        return datetime.timezone(*arguments)
    if make == "zoneinfo":
        return named_zone(*arguments)
    if make == "pytz":
        named_zone(*arguments)  # validated, because it becomes the path of a file
        return needed("pytz", _PYTZ).timezone(*arguments)
    if make == "pytz offset":
        return needed("pytz", _PYTZ).FixedOffset(*arguments)
    if make == "dateutil utc":
        return needed("dateutil.tz", "loading a time zone of dateutil").tzutc()
    raise ValueError(f"{make!r:.80} is not a way to make a time zone")


def _remade(parts: list[Any]) -> Any:
    with suppress(Exception):  # there is no data for it, or it is not of that name
        return zone_from_parts(parts)
    return None


def _is_same(zone: Any, found: Any) -> bool:
    if type(zone).__module__.partition(".")[0] != "pytz":
        return zone is found or (
            type(zone) is datetime.timezone
            and zone.__getinitargs__() == found.__getinitargs__()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        )
    # A zone of pytz has one object for each of its offsets.
    if type(zone) is not type(found):
        return False
    tables = [getattr(each, "_tzinfos", None) for each in (zone, found)]
    return tables[0] is tables[1]
