"""Values compared, beside what their libraries do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from benchmarks.rounds import Row, Work, compare
from checkpoints._compare.values import compare as compare_values

if TYPE_CHECKING:
    import pandas


def measure(folder: str, *, quick: bool) -> list[Row]:
    rounds = 3 if quick else 15
    return [
        *arrays(folder, rounds),
        *numbers(rounds),
        *frames(20_000 if quick else 1_000_000, min(rounds, 5)),
    ]


def arrays(folder: str, rounds: int) -> list[Row]:
    """Arrays of 1 MB, all cells of which differ, or some."""
    import numpy

    one = numpy.random.default_rng(0).random(131_072)
    some = one.copy()
    some[::1000] *= 1.1
    others = {
        "all cells by one ULP": one + numpy.spacing(one),
        "all cells beyond the tolerance": one * 1.001,
        "one cell in 1,000": some,
    }
    paths = [os.path.join(folder, f"{name}.npy") for name in ("one", "other")]
    for path in paths:
        numpy.save(path, one)

    def load_and_compare() -> bool:
        first, second = map(numpy.load, paths)
        return bool(numpy.array_equal(first, second))

    return [
        compare(
            f"compare 1 MB float64: {what} differ",
            Work(lambda other=other: repeat(lambda: compare_values(one, other))),
            "`np.load` of both, `array_equal`",
            Work(lambda: repeat(load_and_compare)),
            rounds=rounds,
            target=1.0,
            times=20,
        )
        for what, other in others.items()
    ]


def numbers(rounds: int) -> list[Row]:
    """200,000 floats, one in seven changed, in an array and in lists."""
    import numpy

    one = numpy.random.default_rng(0).random(200_000)
    other = one.copy()
    other[::7] *= 1.001
    shape = (200, 1000)
    works: dict[str, tuple[Any, Any, float]] = {
        "200,000 floats": (one, other, 0.5),
        "200,000 floats in a list": (one.tolist(), other.tolist(), 20),
        "200,000 floats in lists of a list": (
            one.reshape(shape).tolist(),
            other.reshape(shape).tolist(),
            20,
        ),
    }
    return [
        compare(
            f"compare {what}, one in seven changed",
            Work(lambda pair=(first, second): compare_values(*pair)),
            "`np.allclose` of the array",
            Work(lambda: numpy.allclose(one, other)),
            rounds=rounds,
            target=target,
        )
        for what, (first, second, target) in works.items()
    ]


def frames(length: int, rounds: int) -> list[Row]:
    """A table in which 0.1 % of the cells are changed."""
    import polars

    one, other = made_up(length), made_up(length, changed=length // 1000)
    kind = f"{length:,} x {one.shape[1]} DataFrame, 0.1 % changed"
    by_position = compare(
        f"compare {kind}",
        Work(lambda: compare_values(one, other)),
        "`DataFrame.compare`",
        Work(lambda: one.compare(other)),
        rounds=rounds,
        target=0.2,
    )
    mixed = other.sample(frac=1, random_state=1)
    sides = polars.from_pandas(one), polars.from_pandas(mixed)
    by_key = compare(
        f"compare {kind}, by key",
        Work(lambda: compare_values(one, mixed, keys=["key"])),
        "full join of Polars, `!=` of each column",
        Work(lambda: joined(*sides)),
        rounds=rounds,
        target=1.0,
    )
    return [by_position, by_key]


def joined(one: Any, other: Any) -> Any:
    import polars

    both = one.join(other, on="key", how="full", suffix="_other")
    return both.select(
        (polars.col(name) != polars.col(f"{name}_other")).sum()
        for name in one.columns
        if name != "key"
    )


def made_up(length: int, changed: int = 0) -> pandas.DataFrame:
    import numpy
    import pandas

    random = numpy.random.default_rng(0)
    columns = {f"value{number}": random.random(length) for number in range(9)}
    for column in columns.values():
        column[random.integers(0, length, changed)] *= 1.01
    return pandas.DataFrame({"key": numpy.arange(length), **columns})


def repeat(work: Any, times: int = 20) -> None:
    for _ in range(times):
        work()
