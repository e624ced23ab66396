"""Figures and images become PNG, and images come back pixel for pixel."""

from __future__ import annotations

import io
import warnings

import pytest

from checkpoints import FileHandler
from checkpoints._kinds.digest import digest_of
from checkpoints._kinds.encoder import encode
from checkpoints._kinds.frozen import freeze
from checkpoints._kinds.kind import Inexact
from checkpoints._kinds.pictures import recognise
from checkpoints.errors import TooLargeError

numpy = pytest.importorskip("numpy", reason="the pixels are made with it")
Image = pytest.importorskip("PIL.Image", reason="these are values of Pillow")
figures = pytest.importorskip("matplotlib.figure", reason="these are its figures")

NOISE = numpy.random.default_rng(1).integers(0, 256, (5, 7, 4), "u1")
IMAGES = {
    "1": Image.fromarray(NOISE[:, :, 0]).convert("1"),
    "L": Image.fromarray(NOISE[:, :, 0]),
    "LA": Image.merge("LA", [Image.fromarray(NOISE[:, :, n]) for n in (0, 1)]),
    "RGB": Image.fromarray(NOISE[:, :, :3].copy()),
    "RGBA": Image.fromarray(NOISE),
    "I;16": Image.fromarray(NOISE[:, :, 0].astype("u2") * 257),
    "P": Image.fromarray(NOISE[:, :, :3].copy()).quantize(17),
}


def with_palette(colours, pixels, mode="RGB"):
    image = Image.new("P", (len(pixels), 1))
    image.putpalette([part for colour in colours for part in colour], mode)
    image.putdata(pixels)
    return image


@pytest.fixture
def figure():
    made = figures.Figure(figsize=(2, 1), dpi=50)
    made.subplots().plot([1, 2, 3])
    return made


def as_png(image):
    file = io.BytesIO()
    image.save(file, "png")
    return Image.open(file)


class TestImages:
    @pytest.mark.parametrize("mode", IMAGES)
    def test_comes_back_pixel_for_pixel(self, round_trip, mode):
        image = IMAGES[mode]
        assert image.mode == mode
        back = round_trip(image)
        assert type(back) is Image.Image
        assert (back.mode, back.size) == (image.mode, image.size)
        assert back.tobytes() == image.tobytes()
        assert back.getpalette() == image.getpalette()
        assert round_trip.notes == {"mode": mode, "size": [7, 5]}

    @pytest.mark.parametrize(
        "colours", [1, 2, 3, 4, 16, 17, 256], ids=lambda n: f"{n} colours"
    )
    def test_palettes_of_every_length_come_back(self, round_trip, colours):
        palette = [(n, 255 - n, n) for n in range(colours)]
        image = with_palette(palette, [0, colours - 1])
        back = round_trip(image)
        assert back.mode == "P"
        assert back.getpalette() == image.getpalette()
        assert back.tobytes() == image.tobytes()

    @pytest.mark.parametrize(
        "image",
        [
            with_palette([(1, 2, 3), (4, 5, 6)], [0, 1, 200]),
            with_palette([(1, 2, 3, 4), (5, 6, 7, 255)], [0, 1], "RGBA"),
        ],
        ids=["a number without a colour", "a palette with an alpha channel"],
    )
    def test_a_palette_comes_back_or_is_inexact(self, round_trip, image):
        try:
            back = round_trip(image)
        except Inexact:
            return
        assert back.palette.mode == image.palette.mode
        assert back.getpalette() == image.getpalette()
        assert back.tobytes() == image.tobytes()

    @pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB", "HSV", "F", "I", "RGBX"])
    def test_other_modes_are_inexact(self, round_trip, mode):
        with pytest.raises(Inexact, match=mode):
            round_trip(Image.new(mode, (2, 2)))

    def test_no_pixels_are_inexact(self, round_trip):
        with pytest.raises(Inexact):
            round_trip(Image.new("L", (0, 3)))

    def test_more_pixels_than_pillow_reads_are_inexact(self, round_trip, monkeypatch):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3)
        with pytest.raises(Inexact, match="more than 3 pixels"):
            round_trip(Image.new("L", (2, 2)))

    def test_an_opened_file_comes_back_as_a_plain_image(self, round_trip):
        opened = as_png(IMAGES["RGB"])
        assert type(opened) is not Image.Image
        back = round_trip(opened)
        assert type(back) is Image.Image
        assert back.tobytes() == IMAGES["RGB"].tobytes()

    def test_what_comes_back_needs_its_buffer_no_more(self):
        format = recognise(Image.Image)
        buffers, notes = format.encode(IMAGES["RGB"])
        memory = bytearray(b"".join(buffers))
        back = format.decode(memoryview(memory), notes)
        memory[:] = bytes(len(memory))
        back.putpixel((0, 0), (1, 2, 3))
        assert back.getpixel((1, 0)) == IMAGES["RGB"].getpixel((1, 0))

    def test_more_pixels_than_pillow_reads_are_too_large(self, monkeypatch):
        format = recognise(Image.Image)
        data = memoryview(b"".join(format.encode(IMAGES["RGB"])[0]))
        for limit in (3, 1):
            monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
            with pytest.raises(TooLargeError, match=f"more than {limit} pixels"):
                format.decode(data, {})

    @pytest.mark.parametrize("form", ["jpeg", "gif", "bmp", "ppm"])
    def test_only_png_is_read(self, form):
        file = io.BytesIO()
        IMAGES["L"].save(file, form)
        with pytest.raises(ValueError, match="not a PNG file"):
            recognise(Image.Image).decode(file.getbuffer(), {})

    @pytest.mark.parametrize("cut", [1, 20, 60])
    def test_a_damaged_picture_is_refused(self, cut):
        data = b"".join(recognise(Image.Image).encode(IMAGES["RGB"])[0])
        with pytest.raises((OSError, SyntaxError, ValueError)):
            recognise(Image.Image).decode(memoryview(data[:cut]), {})


def opened(form, **options):
    file = io.BytesIO()
    IMAGES["L"].save(file, form, **options)
    return Image.open(file)


class TestInfo:
    @pytest.mark.parametrize(
        "info",
        [{"dpi": (72, 72)}, {"transparency": 0}, {"icc_profile": b"x"}, {1: [None]}],
        ids=str,
    )
    @pytest.mark.parametrize("mode", ["L", "P", "RGBA"])
    def test_comes_back_with_the_picture(self, round_trip, mode, info):
        image = IMAGES[mode].copy()
        image.info = info
        back = round_trip(image)
        assert type(back) is Image.Image
        assert back.info == image.info
        assert (back.mode, back.tobytes()) == (mode, image.tobytes())
        assert round_trip.left == []

    def test_is_copied_with_it(self):
        image = IMAGES["L"].copy()
        image.info = {"dpi": (72, 72)}
        assert freeze(image).info == image.info

    def test_is_part_of_its_hash(self):
        image = IMAGES["L"].copy()
        image.info = {"dpi": (72, 72)}
        assert digest_of(image) != digest_of(IMAGES["L"])


class TestChange:
    def test_of_an_image_in_memory_is_none(self):
        encoded = encode({"it": IMAGES["L"]})
        assert (encoded.changed, encoded.pickled) == ({}, {})

    @pytest.mark.parametrize("form", ["png", "gif", "jpeg", "tiff"])
    def test_of_an_opened_file_is_told(self, form):
        encoded = encode({"it": opened(form)})
        [told] = encoded.changed.values()
        assert "loaded as a PIL.Image.Image" in told
        assert encoded.pickled == {}

    @pytest.mark.parametrize("form", ["gif", "tiff", "png"])
    def test_of_several_frames_is_told(self, form):
        other = IMAGES["L"].rotate(180)
        animated = opened(form, save_all=True, append_images=[other])
        [told] = encode({"it": animated}).changed.values()
        assert "only the current one of its 2 frames is saved" in told

    def test_of_a_figure_is_told(self, figure):
        assert "saved as a picture" in encode({"it": [figure]}).changed["it/0"]

    def test_is_logged_once_for_each_name(self, tmp_path, figure, caplog):
        handler = FileHandler(tmp_path)
        for _ in range(3):
            handler.checkpoint("mypkg.plot", plot=figure)
        told = [text for text in caplog.messages if "not saved exactly" in text]
        (message,) = told
        assert message == (
            "checkpoint 'mypkg.plot': value 'plot' (matplotlib.figure.Figure: it is "
            "saved as a picture, and will be loaded as a Pillow image) is not saved "
            "exactly"
        )


class TestFigures:
    def test_comes_back_as_the_picture_it_made(self, round_trip, figure):
        back = round_trip(figure)
        assert type(back) is Image.Image
        assert (back.mode, back.size) == ("RGBA", (100, 50))
        assert len(back.getcolors()) > 2
        assert round_trip.kinds == ["matplotlib.Figure"]
        assert round_trip.notes == {"mode": "RGBA", "size": [100, 50]}

    def test_the_size_it_has_on_paper_does_not_change(self, round_trip, figure):
        round_trip(figure)
        assert figure.dpi == 50
        assert figure.get_size_inches().tolist() == [2, 1]


class TestRecognition:
    def test_every_image_of_pillow_is_one_kind(self):
        assert recognise(type(as_png(IMAGES["L"]))) is recognise(Image.Image)

    @pytest.mark.parametrize(
        "cls",
        [
            type("Own", (Image.Image,), {"__module__": "own"}),
            type("Own", (figures.Figure,), {"__module__": "own"}),
            figures.SubFigure,
        ],
    )
    def test_other_classes_are_left_to_a_pickle(self, cls):
        assert recognise(cls) is None


class TestFreeze:
    def test_an_image_is_a_copy(self):
        image = IMAGES["RGB"].copy()
        frozen = recognise(Image.Image).freeze(image)
        image.putpixel((0, 0), (9, 9, 9))
        assert frozen.tobytes() == IMAGES["RGB"].tobytes()

    def test_a_figure_is_a_copy(self, round_trip, figure):
        before = round_trip(figure).tobytes()
        frozen = recognise(figures.Figure).freeze(figure)
        figure.axes[0].plot([3, 2, 1])
        assert round_trip(frozen).tobytes() == before
        assert round_trip(figure).tobytes() != before

    def test_the_copy_is_none_of_pyplots_figures(self, round_trip, monkeypatch):
        monkeypatch.setenv("MPLBACKEND", "agg")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from matplotlib import pyplot
        pyplot.switch_backend("agg")
        figure, axes = pyplot.subplots()
        axes.plot([1, 2])
        try:
            numbers = pyplot.get_fignums()
            frozen = recognise(figures.Figure).freeze(figure)
            assert pyplot.get_fignums() == numbers
            assert round_trip(frozen).tobytes() == round_trip(figure).tobytes()
        finally:
            pyplot.close(figure)
