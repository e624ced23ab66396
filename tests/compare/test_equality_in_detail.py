"""Values that look equal though something in them differs."""

from __future__ import annotations

import numpy
import pytest

from checkpoints._compare.values import compare

NAN = float("nan")


@pytest.mark.parametrize("many", [1, 2, 100])
def test_a_complex_number_with_one_nan_is_compared_by_its_other_part(many):
    one, near, other = complex(1, NAN), complex(1 + 1e-14, NAN), complex(2, NAN)
    for made in (list, numpy.array):
        assert compare(made([one] * many), made([one] * many)).verdict == "equal"
        assert compare(made([one] * many), made([other] * many)).verdict == "different"
        swapped = made([complex(NAN, 1)] * many)
        assert compare(made([one] * many), swapped).verdict == "different"
        assert compare(made([one] * many), made([near] * many)).verdict == "close"
    assert compare(one, other).verdict == "different"
