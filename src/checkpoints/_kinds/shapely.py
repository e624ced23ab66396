"""Shapely: geometries as well-known binary (WKB)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from checkpoints._kinds.kind import Buffer, Family, Format, Inexact, Kind
from checkpoints._process.libraries import needed

__all__ = ["FAMILY", "from_wkb", "memory_of", "recognise", "to_wkb", "weight"]

# An empty geometry takes 9 bytes in WKB, and that many times more in memory.
_MEMORY_PER_BYTE = 24
_IS_MULTI = (4, 5, 6, 7)
_POLYGON = 3
# In bytes, as measured.
_OBJECT, _RING, _POINT = 200, 100, 17


def recognise(cls: type) -> Kind | None:
    """
    Return the kind for values of exactly this class.

    Args:
        cls: A class of Shapely.

    Returns:
        The kind; None if values of the class are pickled.

    Example:
        >>> import shapely
        >>> recognise(shapely.Point).kind
        'shapely.Geometry'
    """
    geometry = getattr(sys.modules.get("shapely"), "Geometry", None)
    is_own = cls.__module__.partition(".")[0] == "shapely"
    return _GEOMETRY if geometry and is_own and issubclass(cls, geometry) else None


def to_wkb(geometries: Any) -> tuple[Any, Any]:
    """
    Encode geometries as WKB, with their SRIDs.

    Args:
        geometries: An array of geometries, and None for missing ones.

    Returns:
        An array of bytes and None, and an array that is true where a line is a ring.

    Raises:
        Inexact: A geometry would come back changed.

    Example:
        >>> import numpy, shapely
        >>> binary, rings = to_wkb(numpy.array([shapely.Point(1, 2), None]))
        >>> len(binary[0]), bool(rings.any())
        (21, False)
    """
    import shapely

    rings = shapely.get_type_id(geometries) == shapely.GeometryType.LINEARRING
    try:
        binary = shapely.to_wkb(geometries, include_srid=True, flavor="extended")
        again = from_wkb(binary, rings)
    except (shapely.errors.ShapelyError, NotImplementedError) as error:
        raise Inexact(f"WKB cannot hold a geometry: {error}") from error
    _check_same(geometries, again)
    return binary, rings


def from_wkb(binary: Any, rings: Any) -> Any:
    """
    Decode an array of geometries.

    Args:
        binary: An array of WKB and None.
        rings: An array that is true where a line is a ring.

    Returns:
        The geometries as an array.

    Example:
        >>> import numpy
        >>> from_wkb(numpy.array([None]), numpy.array([False]))
        array([None], dtype=object)
    """
    shapely = needed("shapely", "loading geometries")
    geometries = shapely.from_wkb(binary)
    # WKB does not have rings.
    if rings.any():
        geometries[rings] = [_as_ring(line) for line in geometries[rings]]
    return geometries


def _as_ring(line: Any) -> Any:
    shapely = needed("shapely", "loading geometries")
    if line.is_empty:
        ring = shapely.LinearRing()
    else:
        ring = shapely.linearrings(shapely.get_coordinates(line, include_z=line.has_z))
    return shapely.set_srid(ring, shapely.get_srid(line))


def _check_same(geometries: Any, others: Any) -> None:
    """Raise `Inexact` if WKB has changed a geometry, or one inside it."""
    import shapely

    measures = [shapely.get_type_id, shapely.is_empty, shapely.has_z, shapely.get_srid]
    # Shapely supports M coordinates since version 2.1.
    measures += [it for it in [getattr(shapely, "has_m", None)] if it]
    for measure in measures:
        if (measure(geometries) != measure(others)).any():
            raise Inexact(
                "well-known binary (WKB), which a pickle contains as well, changes "
                "points of NaN and rings inside of collections"
            )
    is_multi = shapely.get_type_id(geometries)
    is_multi = [type_id in _IS_MULTI for type_id in is_multi]
    if any(is_multi):
        parts = map(shapely.get_parts, (geometries[is_multi], others[is_multi]))
        _check_same(*parts)
    elif _coordinates(geometries) != _coordinates(others):
        raise Inexact("well-known binary (WKB) would change coordinates")


def _coordinates(geometries: Any) -> bytes:
    import shapely

    coordinates = shapely.get_coordinates(geometries, include_z=True)
    return bytes(coordinates.tobytes())


def weight(data: memoryview, meta: Mapping[str, Any]) -> int:  # noqa: ARG001 - part of the signature
    """Return the memory that geometries take beyond their WKB."""
    return _MEMORY_PER_BYTE * len(data)


def memory_of(geometries: Any) -> int:
    """
    Return about how many bytes an array of geometries takes in memory.

    Example:
        >>> import shapely
        >>> memory_of(shapely.linestrings([[[0, 0]] * 1000])) > 16_000
        True
    """
    import shapely

    parts = shapely.get_parts(geometries)
    polygons = parts[shapely.get_type_id(parts) == _POLYGON]
    rings = shapely.get_num_interior_rings(polygons) + 1
    coordinates = int(shapely.get_num_coordinates(parts).sum())
    return _OBJECT * len(parts) + _RING * int(rings.sum()) + _POINT * coordinates


def _weigh(value: Any) -> tuple[int, Iterable[Any]] | None:
    import numpy

    if not hasattr(value, "geom_type"):
        return None
    return memory_of(numpy.array([value], dtype=object)), ()


def _same(one: Any, other: Any, _: Callable[[Any, Any], bool]) -> bool:
    if not hasattr(one, "geom_type"):
        return bool(one == other)
    import shapely

    # A coordinate may be NaN, which a geometry's own comparison takes as unequal.
    binary = [shapely.to_wkb(it, include_srid=True) for it in (one, other)]
    return bool(binary[0] == binary[1])


def _encode(geometry: Any) -> tuple[list[Buffer], dict[str, Any]]:
    import numpy

    binary, rings = to_wkb(numpy.array([geometry], dtype=object))
    return [binary[0]], {"type": geometry.geom_type, "ring": bool(rings[0])}


def _decode(data: memoryview, meta: Mapping[str, Any]) -> Any:
    numpy = needed("numpy", "loading a geometry")
    binary = numpy.array([bytes(data)], dtype=object)
    return from_wkb(binary, numpy.array([meta["ring"]]))[0]


def _freeze(geometry: Any) -> Any:
    """Return the geometry itself, which is immutable."""
    return geometry


def _as_text(value: Any) -> str:
    return str(value)


_GEOMETRY = Format(
    kind="shapely.Geometry",
    suffix="wkb",
    encode=_encode,
    decode=_decode,
    package="shapely",
    freeze=_freeze,
    weight=weight,
)

FAMILY = Family(
    packages=("shapely",),
    kinds=(_GEOMETRY,),
    recognise=recognise,
    weigh=_weigh,
    same=_same,
    as_text=_as_text,
)
