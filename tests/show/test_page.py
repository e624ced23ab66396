"""The report of a comparison as a page that stands alone."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from checkpoints._show.page import page_of

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)
VOID = {"meta", "input", "rect"}


class Nesting(HTMLParser):
    """Checks that elements are closed in order, and collects what there is."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture
def page(document):
    return page_of(document, ["checkpoints show x"])


class TestPage:
    def test_is_well_formed(self, page):
        parser = Nesting()
        parser.feed(page)
        assert parser.open == []

    def test_needs_no_script_and_no_network(self, page):
        parser = Nesting()
        parser.feed(page)
        assert not {"script", "img", "iframe", "link", "object"} & {*parser.tags}
        names = {name for name, _ in parser.attributes}
        assert not any(name.startswith("on") for name in names)
        hrefs = [value for name, value in parser.attributes if name == "href"]
        assert hrefs
        assert all(value.startswith("#") for value in hrefs)
        assert "url(" not in page
        assert "@import" not in page

    def test_escapes_what_files_say(self, page):
        assert "<b>" not in page
        assert "\x1b" not in page
        assert "\u202e" not in page

    def test_has_the_verdict_on_top(self, page):
        body = page[page.index("<body") :]
        assert body.index("DIFFERENT") < body.index("baseline")

    def test_has_a_tick_for_each_pair_that_differs_which_leads_to_it(self, page):
        strip = page[page.index('<svg class="strip"') : page.index("</svg>")]
        for target in re.findall(r'href="#(p\d+)"', strip):
            assert f'id="{target}"' in page
        assert strip.count("<rect") == 5

    def test_a_part_for_a_notebook_is_no_document(self, document):
        part = page_of(document, is_embedded=True)
        assert "<html" not in part
        assert 'class="checkpoints"' in part

    def test_stays_small_however_much_differs(self, document):
        many = {**document, "pairs": document["pairs"] * 3000}
        page = page_of(many)
        assert len(page) < 5_000_000
        assert "which --json has" in page


@pytest.mark.skipif(BROWSER is None, reason="no browser is installed to look at it")
class TestInABrowser:
    def picture(self, page, folder, *options):
        image = pytest.importorskip("PIL.Image", reason="it reads the picture")
        file, shot = folder / "page.html", folder / "page.png"
        file.write_text(page, encoding="utf-8")
        subprocess.run(
            [
                BROWSER,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                f"--user-data-dir={folder}/profile",
                "--window-size=1000,1000",
                f"--screenshot={shot}",
                *options,
                file.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=100,
        )
        return image.open(io.BytesIO(shot.read_bytes())).convert("RGB")

    def reds(self, picture):
        return sum(
            count
            for count, (red, green, blue) in picture.getcolors(2**24)
            if red > 180 and green < 90 and blue < 90
        )

    def test_the_verdict_is_seen_in_red(self, page, tmp_path):
        assert self.reds(self.picture(page, tmp_path)) > 2000

    def test_a_filter_hides_the_others(self, page, tmp_path):
        other = page.replace(' id="show-all" checked', ' id="show-all"').replace(
            ' id="show-close"', ' id="show-close" checked'
        )
        assert other != page
        pictures = [self.picture(it, tmp_path) for it in (page, other)]
        assert self.reds(pictures[1]) < self.reds(pictures[0])

    def test_it_is_dark_where_the_reader_likes_that(self, page, tmp_path):
        dark = "--blink-settings=preferredColorScheme=0"
        light, night = (
            self.picture(page, tmp_path, *options).getpixel((5, 900))
            for options in ((), (dark,))
        )
        assert sum(night) < sum(light)
