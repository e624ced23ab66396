"""Pictures: Matplotlib figures and Pillow images as PNG."""

from __future__ import annotations

import copy
import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from checkpoints._kinds.kind import Buffer, Compound, Family, Format, Inexact, Kind
from checkpoints._process.forks import forks_wait
from checkpoints._process.libraries import imported, needed
from checkpoints.errors import TooLargeError

__all__ = ["MATPLOTLIB", "PILLOW", "recognise"]

_EXACT_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
# In bytes; Pillow pads the three colours of a pixel to four.
_PIXEL = 4
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# A second size, animations, and what Pillow would unpack.
_NEVER_WRITTEN = {b"IHDR", b"acTL", b"fcTL", b"fdAT", b"zTXt", b"iTXt", b"iCCP"}
_BYTES = {"1": 1, "L": 1, "P": 1} | dict.fromkeys(("I;16", "I;16L", "I;16B"), 2)


def recognise(cls: type) -> Kind | None:
    """
    Return the format for values of exactly this class.

    Args:
        cls: A class of Matplotlib or Pillow.

    Returns:
        The format; None if values of the class are pickled.

    Example:
        >>> import PIL.Image
        >>> recognise(PIL.Image.Image).kind
        'PIL.Image'
    """
    figures = sys.modules.get("matplotlib.figure")
    if figures is not None and cls is figures.Figure:
        return _FIGURE
    return _IMAGE if _is_of_pillow(cls) else None


def _fallback(cls: type) -> Kind | None:
    return _IMAGE_WITH_INFO if _is_of_pillow(cls) else None


def _is_of_pillow(cls: type) -> bool:
    images = sys.modules.get("PIL.Image")
    is_own = cls.__module__.partition(".")[0] == "PIL"
    return images is not None and is_own and issubclass(cls, images.Image)


def _pillow(module: str) -> Any:
    return needed(f"PIL.{module}", "a picture")


def _import_plugins() -> None:
    # Saving a picture imports them, and a fork must not come in the middle.
    images = _pillow("Image")
    with forks_wait():
        images.preinit()


def _encode_figure(figure: Any) -> tuple[list[Buffer], dict[str, Any]]:
    _import_plugins()
    file = io.BytesIO()
    # Saving a PNG file loads it, and would do so while the process may fork.
    imported("matplotlib.backends.backend_agg")
    figure.savefig(file, format="png", dpi="figure")
    written = file.getbuffer()
    size = _size_of(written)
    _check_size(size)
    return [written], {"mode": "RGBA", "size": size}


def _change_of_figure(_: Any) -> str:
    return "it is saved as a picture, and will be loaded as a Pillow image"


def _check_size(size: Sequence[int]) -> None:
    try:
        _check_pixels(*size)
    except TooLargeError as error:
        raise Inexact(f"it could not be loaded again: {error}") from error


def _encode_image(image: Any) -> tuple[list[Buffer], dict[str, Any]]:
    if image.mode not in _EXACT_MODES:
        raise Inexact(f"PNG cannot hold images of mode {image.mode!r}")
    if image.info:
        raise Inexact("the image has more than pixels, in its info")
    _check_size(image.size)
    _import_plugins()
    file = io.BytesIO()
    try:
        image.save(file, format="png")
    except (OSError, SystemError, TypeError, ValueError) as error:
        raise Inexact(f"Pillow cannot write the image as PNG: {error}") from error
    if image.mode == "P" and not _is_same(image, _decode(file.getbuffer(), {})):
        raise Inexact("PNG would change the image's palette")
    return [file.getbuffer()], {"mode": image.mode, "size": list(image.size)}


def _is_same(image: Any, other: Any) -> bool:
    """Return whether two images of mode P have the same palette, pixels and info."""
    palettes = [
        (one.palette.mode, one.getpalette(one.palette.mode)) for one in (image, other)
    ]
    return (
        image.mode == other.mode
        and palettes[0] == palettes[1]
        and image.info == other.info
        and image.tobytes() == other.tobytes()
    )


def _take_apart(image: Any) -> dict[str, Any]:
    if not image.info:
        raise Inexact("the image has no info")
    # The info may have more than PNG has a place for.
    picture = image.copy()
    picture.info = {}
    return {"picture": picture, "info": dict(image.info)}


def _put_together(parts: dict[str, Any]) -> Any:
    image, info = parts["picture"], parts["info"]
    if type(image) is not _pillow("Image").Image or type(info) is not dict:
        raise ValueError("the parts of the image are not a picture and its info")
    image.info = info
    return image


def _change_of_image(image: Any) -> str:
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        return f"only the current one of its {frames} frames is saved"
    if type(image) is not _pillow("Image").Image:
        return "it will be loaded as a PIL.Image.Image, without its file"
    return ""


def _decode(data: memoryview, meta: Mapping[str, Any]) -> Any:  # noqa: ARG001 - part of the signature
    _check_chunks(data)
    plugin = _pillow("PngImagePlugin")
    # `open` would only warn of a picture that is too large, and still read it.
    try:
        file = plugin.PngImageFile(io.BytesIO(data))
    except SyntaxError as error:
        raise ValueError(f"not a PNG file: {error}") from error
    with file:
        _check_pixels(*file.size)
        # The opened image depends on its file; a copy does not.
        return file.copy()


def _check_chunks(data: memoryview) -> None:
    """Refuse a PNG file that would take more memory than its size says."""
    if bytes(data[: len(_SIGNATURE)]) != _SIGNATURE:
        raise ValueError("not a PNG file")
    first, *others = _chunks_of(data)
    if first != b"IHDR" or not _NEVER_WRITTEN.isdisjoint(others):
        raise ValueError("the PNG file has a form that is never written")


def _chunks_of(data: memoryview) -> Iterator[bytes]:
    """Yield the types of the chunks of a PNG file."""
    at = len(_SIGNATURE)
    while at < len(data):
        yield bytes(data[at + 4 : at + 8])
        at += 12 + int.from_bytes(data[at : at + 4], "big")


def _check_pixels(width: int, height: int) -> None:
    limit = _pillow("Image").MAX_IMAGE_PIXELS
    if limit is not None and width * height > limit:
        raise TooLargeError(
            f"a picture of {width} x {height} has more than {limit} pixels, Pillow's "
            "limit. If you trust its source, increase PIL.Image.MAX_IMAGE_PIXELS"
        )


def _weight(data: memoryview, meta: Mapping[str, Any]) -> int:  # noqa: ARG001 - part of the signature
    """Return the memory of the picture and its copy, and of a copy of the file."""
    width, height = _size_of(data)
    return 2 * _PIXEL * width * height + len(data)


def _size_of(data: memoryview) -> list[int]:
    # Their position is the same in every PNG.
    return [int.from_bytes(data[at : at + 4], "big") for at in (16, 20)]


def _freeze_figure(figure: Any) -> Any:
    """Return a copy that pyplot does not manage, unlike one from `copy.deepcopy`."""
    state = figure.__getstate__()
    state.pop("_restore_to_pylab", None)
    cls: Any = type(figure)
    frozen = cls.__new__(cls)
    frozen.__setstate__(copy.deepcopy(state, {id(figure): frozen}))
    return frozen


def _freeze_image(image: Any) -> Any:
    return image.copy()


def _weigh_image(image: Any) -> tuple[int, Iterable[Any]] | None:
    if not hasattr(image, "mode"):
        return None
    width, height = image.size
    # Pillow's memory is its own, so no attribute of the image tells its size.
    return width * height * _BYTES.get(image.mode, _PIXEL), [image.info]


def _weigh_figure(figure: Any) -> tuple[int, Iterable[Any]] | None:
    if not hasattr(figure, "savefig"):
        return None
    # Not its canvas, on which a whole window may hang.
    return 0, [figure.__getstate__()]


def _describe_image(value: Any, _: int) -> dict[str, Any] | None:
    if not hasattr(value, "mode"):
        return None
    return {"mode": str(value.mode), "size": list(value.size)}


def _content_of_image(image: Any) -> dict[str, Any]:
    # The bytes of a PNG file depend on the version of a library.
    palette = image.getpalette(image.palette.mode) if image.mode == "P" else None
    return {
        "mode": image.mode,
        "size": list(image.size),
        "palette": palette,
        "info": image.info,
        "pixels": image.tobytes(),
    }


def _image_as_png(image: Any) -> bytes:
    _import_plugins()
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
    change=_change_of_figure,
)
_IMAGE = Format(
    kind="PIL.Image",
    suffix="png",
    encode=_encode_image,
    decode=_decode,
    package="PIL",
    freeze=_freeze_image,
    weight=_weight,
    change=_change_of_image,
)
_IMAGE_WITH_INFO = Compound(
    kind="PIL.Image.with_info",
    take_apart=_take_apart,
    put_together=_put_together,
    package="PIL",
    freeze=_freeze_image,
    change=_change_of_image,
)

MATPLOTLIB = Family(
    packages=("matplotlib",),
    kinds=(_FIGURE,),
    recognise=recognise,
    weigh=_weigh_figure,
)
PILLOW = Family(
    packages=("PIL",),
    kinds=(_IMAGE, _IMAGE_WITH_INFO),
    recognise=recognise,
    fallback=_fallback,
    weigh=_weigh_image,
    describe=_describe_image,
    content=_content_of_image,
    as_png=_image_as_png,
)
