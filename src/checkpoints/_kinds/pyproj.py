"""pyproj: coordinate reference systems as text."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from checkpoints._kinds.kind import Buffer, Family, Format, Inexact, Kind
from checkpoints._process.libraries import needed

__all__ = ["FAMILY", "crs_from_json", "crs_to_json", "recognise"]

# Codes, names and PROJ strings, but none that could name a file, as "+init=" does.
_NAME = re.compile(r"(?!.*init)[\w:+=., -]{1,500}", re.ASCII | re.IGNORECASE)


def recognise(cls: type) -> Kind | None:
    """
    Return the kind for values of exactly this class.

    Args:
        cls: A class of pyproj.

    Returns:
        The kind; None if values of the class are pickled.

    Example:
        >>> import pyproj
        >>> recognise(pyproj.CRS).kind
        'pyproj.CRS'
    """
    pyproj = sys.modules.get("pyproj")
    return _CRS if cls is getattr(pyproj, "CRS", None) else None


def crs_to_json(crs: Any) -> dict[str, Any]:
    """
    Describe a reference system in JSON types.

    Raises:
        Inexact: It would come back changed.

    Example:
        >>> import pyproj
        >>> crs_to_json(pyproj.CRS("EPSG:4326"))["name"]
        'EPSG:4326'
    """
    import pyproj

    if type(crs) is not pyproj.CRS:
        raise Inexact(f"a reference system of type {type(crs).__name__} is a subclass")
    text, name = crs.to_wkt(), crs.srs
    described = {"name": name if _NAME.fullmatch(name) else None, "wkt": text}
    again = crs_from_json(described)
    if again.srs != name or again.to_wkt() != text or again != crs:
        raise Inexact("well-known text (WKT) does not keep all of a reference system")
    return described


def crs_from_json(described: Mapping[str, Any]) -> Any:
    """
    Return the reference system that `crs_to_json` described.

    Example:
        >>> import pyproj
        >>> crs_from_json(crs_to_json(pyproj.CRS("EPSG:4326"))).to_epsg()
        4326
    """
    pyproj = needed("pyproj", "loading a coordinate reference system")
    name, text = described["name"], described["wkt"]
    if name is not None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r:.80} is not the name of a reference system")
        known = pyproj.CRS(name)
        # Another release of the database may describe the name in another way.
        if known.to_wkt() == text:
            return known
    return pyproj.CRS.from_wkt(text)


def _encode(crs: Any) -> tuple[list[Buffer], dict[str, Any]]:
    described = crs_to_json(crs)
    return [described.pop("wkt").encode()], described


def _decode(data: memoryview, meta: Mapping[str, Any]) -> Any:
    return crs_from_json({"name": meta["name"], "wkt": bytes(data).decode()})


def _freeze(crs: Any) -> Any:
    """Return the reference system itself, which is immutable."""
    return crs


_CRS = Format(
    kind="pyproj.CRS",
    suffix="wkt",
    encode=_encode,
    decode=_decode,
    package="pyproj",
    freeze=_freeze,
)

FAMILY = Family(packages=("pyproj",), kinds=(_CRS,), recognise=recognise)
