"""
Configuration code for the whole public API, as users write it.

It is type-checked by mypy and by pyright, and never run.
"""

from __future__ import annotations

import datetime
import pickle
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, assert_type

import checkpoints as cp

# Declare

cp.register("mypkg.fit")
cp.register(["mypkg.load", "mypkg.clean"])
cp.register(f"mypkg.stage{number}" for number in range(40))
cp.register("mypkg", "forecast")
cp.register("mypkg", ("join", "split"))
cp.deprecate("mypkg.train", "mypkg.fit")
cp.deprecate("mypkg", "train", "fit")

assert_type(cp.available(), list[str])
assert_type(cp.enabled(), list[str])
assert_type(cp.deprecated(), dict[str, str])
assert_type(cp.is_enabled("mypkg.fit"), bool)

# Save

frame: Mapping[str, Sequence[float]] = {"x": [1.0], "y": [2.0]}
cp.checkpoint("mypkg.fit", [1.0, 2.0])
cp.checkpoint("mypkg.fit", "a text")
cp.checkpoint("mypkg.fit", frame)
cp.checkpoint("mypkg.fit", x=1, name="a value called name", data=None)
cp.checkpoint("mypkg.fit", {"x": 1}, y=2)
cp.checkpoint("mypkg", "fit", [1.0, 2.0])
cp.checkpoint("mypkg", "fit", {"x": 1}, y=2)
fitted = cp.point("mypkg.fit")
assert_type(fitted, cp.Point)
assert_type(fitted.on, bool)
fitted([1.0, 2.0])
cp.point("mypkg", "fit")(x=1, name="a value called name")

# Look into functions

with cp.probe("pkg.mod:function") as probed:
    assert_type(probed, cp.Probe)
    assert_type(probed.is_in_place, bool)
cp.probe(len).remove()
cp.probe((str, "upper"))
assert_type(cp.probe("pkg.*:*", exclude=["pkg.plot:*"]).names, list[str])
cp.config("mypkg", "./out", given={"n": ">3"}, caller="app", when="exception")
cp.config("mypkg", "./out", min_seconds=0.5, items=10, values=["self.coef_"])


@cp.probed
def bake(loaves: int, *, hot: bool = True) -> str:
    return "bread" * loaves


@cp.probed("mypkg.stir")
async def stir(spoons: int) -> float:
    return spoons / 2


assert_type(bake(3, hot=False), str)

recorder = cp.Recorder("out", max_bytes=1 << 20, when="nan", signal=10, durable=True)
assert_type(recorder.dump("to see"), int)
cp.config("mypkg", recorder)
with cp.Recorder(print, when=lambda key, values: "x" in values) as recording:
    assert_type(recording, cp.Recorder)

# Tag

day = datetime.date(2026, 3, 1)
with cp.tags(date=day, model="ridge"), cp.tags(("fold", 1), ("fold", 2)):
    assert_type(cp.current_tags(), tuple[tuple[str, object], ...])
with cp.tags({"date": day}, ("fold", 1), worker=3):
    pass


@cp.tags(stage="fit")
def fit(rows: Sequence[float], *, ridge: float = 0.1) -> float:
    return sum(rows) * ridge


@cp.tags(stage="fetch")
async def fetch(url: str) -> bytes:
    return url.encode()


@cp.tags(stage="days")
def days(first: int) -> Iterator[int]:
    yield first


@cp.tags(stage="stream")
async def stream(first: int) -> AsyncIterator[int]:
    yield first


async def use() -> None:
    assert_type(fit([1.0], ridge=0.2), float)
    assert_type(await fetch("here"), bytes)
    assert_type(days(1), Iterator[int])
    async for number in stream(1):
        assert_type(number, int)


def whole() -> float:
    return fit([1.0, 2.0])


assert_type(cp.with_checkpoint_tags(whole, date=day), float)
assert_type(cp.with_checkpoint_tags(whole, ("fold", 1), ("fold", 2)), float)
assert_type(cp.with_checkpoint_tags(whole, {"fold": 1}, date=day), float)

# Configure


def report(key: cp.Key, data: Mapping[str, Any]) -> None:
    print(key.name, key.tags, sorted(data))


def of_march(tags: Any) -> bool:
    return str(tags) != ""


assert_type(cp.config("mypkg", "./out"), cp.Rule)
assert_type(cp.config(cp.FileHandler("./out"), "mypkg"), cp.Rule)
assert_type(cp.config(cp.DictHandler(), ["mypkg.fit", "mypkg.join"]), cp.Rule)
cp.config("mypkg.*", Path("out") / "{run}")
cp.config(["mypkg.fit", "mypkg.join"], "./out/{time}-{host}-{pid}")
cp.config("mypkg.fit", report)
cp.config("mypkg.fit", cp.DictHandler())
cp.config("mypkg.fit", ["./out", report, cp.DictHandler()])
cp.config("mypkg.fit", None)
cp.config("mypkg", "./out", where={"date": "2026-03-01..2026-03-31", "fold": ">3"})
cp.config("mypkg", "./out", values=["x", "y*"], summary=True, max_bytes="64MB")
cp.config("mypkg", "./out", transform="mypkg.redact")
assert_type(cp.stats().by_reason, dict[str, int])
cp.config("mypkg", "./out", where={"model": "ridge", "fold": [1, 2]})
cp.config(
    "mypkg", "./out", where=of_march, every=10, limit=3, run_limit=9, on_error="raise"
)
cp.config("mypkg", "./out", random=True, after=True)
cp.config("mypkg", "./out", format="parquet", if_exists="keep", durable=True)

cp.config("mypkg", "s3://bucket/out", store_options={"region": "eu-west-1"})
cp.config("mypkg", "s3://bucket/out", spill=Path("kept"))
cp.config("mypkg", ["./out", report], if_exists="skip", compression="zstd")
cp.config("mypkg", [cp.DictHandler(), report], every=2)
cp.config("mypkg", Path("out"), background=True, max_pending="64MB", on_full="drop")


def made(each: int, name: str, root: Path | None) -> cp.Rule:
    return cp.config(name, root, every=each)


rule = cp.config("mypkg", "./out", on_error="ignore")
rule.remove()
spare = cp.Rule("mypkg", "./out", every=10, if_exists="keep")
assert_type(cp.Rule("mypkg", None).names, str | tuple[str, ...])
sent: cp.Rule = pickle.loads(pickle.dumps(spare))
with cp.config("mypkg", "./out", on_error="warn"):
    cp.checkpoint("mypkg.fit", x=1)
for each in cp.rules():
    assert_type(each, cp.Rule)
cp.reset()

# Stage and commit

session = cp.Session("mypkg.forecast")
session.checkpoint([1.0])
session.checkpoint({"x": 1}, y=2)
session.checkpoint(z=3)
session.commit()
session.discard()
with cp.Session("mypkg", "forecast") as staged:
    assert_type(staged, cp.Session)
    staged.checkpoint(x=1)

# Handlers

files = cp.FileHandler(
    Path("out"), format="zip", compression=None, if_exists="error", durable=False
)
files.checkpoint("mypkg.fit", {"x": 1})
objects: dict[str, Any] = {}
memory = cp.DictHandler(objects, force=True, copy=False)
memory.checkpoint("mypkg.fit", [1.0])


class Printing(cp.Handler):
    """The shortest handler: one method."""

    def commit(self, key: cp.Key, staged: Any) -> None:
        print(key.name, staged)


Printing().checkpoint("mypkg.fit", {"x": 1})
cp.config("mypkg", Printing())
with cp.capture("mypkg") as seen:
    assert_type(seen, cp.DictHandler)
with cp.capture():
    pass

# Read

runs = cp.index("./out")
assert_type(runs, cp.Index)
assert_type(cp.index(Path("out"), all_files=True), cp.Index)
assert_type(len(runs), int)
assert_type(runs[0], cp.Entry)
for entry in runs:
    assert_type(entry, cp.Entry)

assert_type(runs[1:], cp.Index)
assert_type(runs.where("mypkg.*", step=lambda text: int(text) > 3), cp.Index)
assert_type(runs.where(["a", "b"], {"the tag": 1}, day=[1, 2]), cp.Index)
assert_type(runs.sort("day", reverse=True).latest(), cp.Index)
assert_type(runs.runs(), dict[str, cp.Index])
assert_type(runs.names(), list[str])
assert_type(runs.tag_values("day"), list[str])
assert_type(runs.unreadable, tuple[OSError, ...])
runs.to_arrow(details=True)
runs.to_pandas()
runs.to_polars()
runs.concat("x", to="polars", trusted=True)

first = runs[0]
assert_type(first.name, str)
assert_type(first.stem, str)
assert_type(first.key, cp.Key)
assert_type(first.tags, cp.Tags)
assert_type(first.tags["date"], str)
assert_type(first.tags.get("date"), str | None)
assert_type(first.tags.get("date", 0), str | int)
assert_type(first.tags.items(), tuple[tuple[str, str], ...])
assert_type(dict(first.tags), dict[str, str])
assert_type(list(first.tags), list[str])
one: float = first["x"]
prefixes: Sequence[str] = first.prefixes
meta: Mapping[str, Any] = first.meta
everything: dict[str, Any] = first.load()
some: dict[str, Any] = first.load("x", "y")
again: cp.Entry = pickle.loads(pickle.dumps(first))

loaded: dict[str, Any] = cp.load(first)
cp.load(first.path, "x", "y", trusted=True)
cp.load("out/mypkg/fit.ckpt.zip", mmap=True)
cp.load(Path("out/mypkg/fit.ckpt.zip"), "x")

key = cp.Key("mypkg.fit", (("model", "ridge"), ("date", day)))
assert_type(key.name, str)

# Extend


class Money:
    """A kind of value defined by the application."""

    def __init__(self, cents: int) -> None:
        self.cents = cents


def money_to_bytes(value: Money) -> bytes:
    return str(value.cents).encode()


def money_from_bytes(data: memoryview) -> Money:
    return Money(int(bytes(data)))


def money_as_it_is(value: Money) -> Money:
    return Money(value.cents)


cp.register_format(
    Money,
    kind="shop.Money",
    suffix="txt",
    encode=money_to_bytes,
    decode=money_from_bytes,
)
cp.register_format(
    Money,
    kind="shop.Money",
    suffix="txt",
    encode=money_to_bytes,
    decode=money_from_bytes,
    freeze=money_as_it_is,
)

# Errors: each is also the builtin that a caller would catch already


def errors_of_values() -> tuple[type[ValueError], ...]:
    return cp.ConfigError, cp.CorruptFileError, cp.UntrustedError


def errors_of_keys() -> tuple[type[FileExistsError], type[LookupError]]:
    return cp.AlreadyStoredError, cp.UnknownValueError


def errors_of_formats() -> tuple[type[TypeError], type[ImportError]]:
    return cp.FormatError, cp.MissingDependencyError


def errors_of_ours() -> tuple[type[cp.CheckpointError], ...]:
    return (
        cp.AlreadyStoredError,
        cp.ConfigError,
        cp.CorruptFileError,
        cp.FormatError,
        cp.MissingDependencyError,
        cp.UnknownValueError,
        cp.UntrustedError,
    )


assert_type(cp.errors.ConfigError("no such name"), cp.ConfigError)
