"""Pictures: Matplotlib figures and Pillow images as PNG."""

from __future__ import annotations

import copy
import io
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from checkpoints._kinds.kind import Buffer, Family, Format, Inexact, Kind
from checkpoints.errors import MissingDependencyError, TooLargeError

__all__ = ["MATPLOTLIB", "PILLOW", "recognise"]

_EXACT_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
# In bytes: Pillow holds three colours and the room for a fourth.
_PIXEL = 4


def recognise(cls: type) -> Kind | None:
    """
    Say which format takes values of exactly this class.

    Args:
        cls: A class of Matplotlib or Pillow.

    Returns:
        The format; None where values of the class have to be pickled.

    Example:
        >>> import PIL.Image
        >>> recognise(PIL.Image.Image).kind
        'PIL.Image'
    """
    figures = sys.modules.get("matplotlib.figure")
    if figures is not None and cls is figures.Figure:
        return _FIGURE
    images = sys.modules.get("PIL.Image")
    is_own = cls.__module__.partition(".")[0] == "PIL"
    return _IMAGE if images and is_own and issubclass(cls, images.Image) else None


def _import_pillow() -> Any:
    try:
        import PIL.Image
        import PIL.PngImagePlugin
    except ImportError as error:
        message = "loading a picture needs Pillow: pip install pillow"
        raise MissingDependencyError(message) from error
    return PIL


def _encode_figure(figure: Any) -> tuple[list[Buffer], dict[str, Any]]:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi="figure")
    written = file.getbuffer()
    size = _size_of(written)
    _check_size(size)
    return [written], {"mode": "RGBA", "size": size}


def _check_size(size: Sequence[int]) -> None:
    try:
        _check_pixels(*size)
    except TooLargeError as error:
        raise Inexact(f"it could not be read again: {error}") from error


def _encode_image(image: Any) -> tuple[list[Buffer], dict[str, Any]]:
    if image.mode not in _EXACT_MODES:
        raise Inexact(f"PNG does not keep images of mode {image.mode!r}")
    _check_size(image.size)
    file = io.BytesIO()
    try:
        image.save(file, format="png")
    except (OSError, SystemError, TypeError, ValueError) as error:
        raise Inexact(f"Pillow cannot write the image as PNG: {error}") from error
    if image.mode == "P" and not _is_same(image, _decode(file.getbuffer(), {})):
        raise Inexact("PNG would change the image's palette")
    return [file.getbuffer()], {"mode": image.mode, "size": list(image.size)}


def _is_same(image: Any, other: Any) -> bool:
    """Tell whether two images of mode P have the same colours at the same numbers."""
    palettes = [
        (each.palette.mode, each.getpalette(each.palette.mode))
        for each in (image, other)
    ]
    return (
        image.mode == other.mode
        and palettes[0] == palettes[1]
        and image.tobytes() == other.tobytes()
    )


def _decode(data: memoryview, meta: Mapping[str, Any]) -> Any:  # noqa: ARG001
    plugin = _import_pillow().PngImagePlugin
    # Not `open`: it only warns of a picture that is too large, and reads it.
    try:
        file = plugin.PngImageFile(io.BytesIO(data))
    except SyntaxError as error:
        raise ValueError(f"it is no PNG: {error}") from error
    with file:
        _check_pixels(*file.size)
        # A copy is a plain image; what was opened stays bound to its file.
        return file.copy()


def _check_pixels(width: int, height: int) -> None:
    limit = _import_pillow().Image.MAX_IMAGE_PIXELS
    if limit is not None and width * height > limit:
        raise TooLargeError(
            f"a picture of {width} x {height} is more than {limit} pixels, Pillow's "
            "limit. If you trust whoever made it, raise PIL.Image.MAX_IMAGE_PIXELS"
        )


def _weight(data: memoryview, meta: Mapping[str, Any]) -> int:  # noqa: ARG001
    """How much memory Pillow takes: the picture, and the copy of it."""
    width, height = _size_of(data)
    return 2 * _PIXEL * width * height


def _size_of(data: memoryview) -> list[int]:
    # They stand at a fixed place in every PNG.
    return [int.from_bytes(data[at : at + 4], "big") for at in (16, 20)]


def _freeze_figure(figure: Any) -> Any:
    """A copy that pyplot does not hear of, unlike that of `copy.deepcopy`."""
    state = figure.__getstate__()
    state.pop("_restore_to_pylab", None)
    cls: Any = type(figure)
    frozen = cls.__new__(cls)
    frozen.__setstate__(copy.deepcopy(state, {id(figure): frozen}))
    return frozen


def _freeze_image(image: Any) -> Any:
    return image.copy()


def _describe_image(value: Any, _: int) -> dict[str, Any] | None:
    if not hasattr(value, "mode"):
        return None
    return {"mode": str(value.mode), "size": list(value.size)}


def _image_as_png(image: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


_FIGURE = Format(
    kind="matplotlib.Figure",
    suffix="png",
    encode=_encode_figure,
    decode=_decode,
    package="matplotlib",
    freeze=_freeze_figure,
    weight=_weight,
)
_IMAGE = Format(
    kind="PIL.Image",
    suffix="png",
    encode=_encode_image,
    decode=_decode,
    package="PIL",
    freeze=_freeze_image,
    weight=_weight,
)

MATPLOTLIB = Family(packages=("matplotlib",), kinds=(_FIGURE,), recognise=recognise)
PILLOW = Family(
    packages=("PIL",),
    kinds=(_IMAGE,),
    recognise=recognise,
    describe=_describe_image,
    as_png=_image_as_png,
)
