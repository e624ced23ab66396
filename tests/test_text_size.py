"""A number of bytes, in human-readable form."""

from __future__ import annotations

import pytest

from checkpoints import ConfigError
from checkpoints._text import parse_size


class TestSize:
    @pytest.mark.parametrize(
        ("text", "size"),
        [
            (1, 1),
            (64_000_000, 64_000_000),
            ("2048", 2048),
            ("10B", 10),
            ("64MB", 64_000_000),
            ("64mb", 64_000_000),
            ("64M", 64_000_000),
            (" 1.5 GB ", 1_500_000_000),
            ("1kB", 1000),
            ("1KiB", 1024),
            ("3MiB", 3 << 20),
            ("0.5TiB", 1 << 39),
        ],
    )
    def test_it_is_a_number_or_a_text_with_a_unit(self, text, size):
        assert parse_size("max_bytes", text) == size

    @pytest.mark.parametrize(
        "size",
        [0, -1, True, 1.5, None, "", "0", "0.4B", "-1MB", "MB", "1iB", "1XB", "1e6"],
    )
    def test_anything_else_is_an_error_that_names_the_option(self, size):
        with pytest.raises(ConfigError, match=r"^invalid max_bytes=.*'64MB'$"):
            parse_size("max_bytes", size)

    def test_what_it_was_given_reaches_no_terminal_as_it_is(self):
        with pytest.raises(ConfigError) as caught:
            parse_size("max_bytes", "\x1b[31m")
        assert "\x1b" not in str(caught.value)
