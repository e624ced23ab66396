"""Pictures, pixel by pixel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from checkpoints._compare.arrays import compare_arrays
from checkpoints._compare.comparer import Comparer
from checkpoints._compare.difference import Difference
from checkpoints._process.libraries import imported

__all__ = ["compare_pictures", "is_picture"]


def is_picture(value: Any) -> bool:
    """Tell whether a value is an image of Pillow."""
    return any(
        cls.__name__ == "Image" and cls.__module__ == "PIL.Image"
        for cls in type(value).__mro__
    )


def compare_pictures(one: Any, other: Any, comparer: Comparer) -> Difference:
    """
    Compare two images by mode, size and pixels; a place is a row, a column, a band.

    Args:
        one: The baseline.
        other: The candidate.
        comparer: What is allowed.
    """
    notes, images = [], [one, other]
    if one.mode != other.mode:
        notes.append(f"mode {one.mode} against {other.mode}")
    if one.mode != other.mode or one.mode == "P":
        # The colours of a palette decide, not the numbers that stand for them.
        images = [image.convert("RGBA") for image in images]
    arrays = [imported("numpy").asarray(image) for image in images]
    found = compare_arrays(arrays[0], arrays[1], comparer)
    return replace(
        found,
        verdict="different" if one.mode != other.mode else found.verdict,
        dtype=(one.mode, other.mode),
        shape=(_size(one), _size(other)),
        notes=(*notes, *found.notes),
    )


def _size(image: Any) -> str:
    return f"{image.width} x {image.height}"
