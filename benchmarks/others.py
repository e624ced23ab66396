"""Other tools that save and load the same data, each as its documentation shows."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import statistics
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import checkpoints
from benchmarks.rounds import Row, Work, make_room, median_ratio, settle, take_turns
from benchmarks.small import VALUES, called_before

if TYPE_CHECKING:
    from numpy import ndarray


class Tool(NamedTuple):
    """Functions that save an array to a path, and load it from there and sum it."""

    name: str
    save: Callable[[str, ndarray], object]
    load: Callable[[str], object]


def measure(folder: str, *, quick: bool) -> list[Row]:
    return [*measure_arrays(folder, quick=quick), *measure_dicts(folder, quick=quick)]


def measure_arrays(folder: str, *, quick: bool) -> list[Row]:
    import numpy

    rounds, megabytes = (2, 8) if quick else (9, 64)
    kind = f"{megabytes} MB float64"
    array = numpy.random.default_rng(0).random(megabytes * 125_000)
    tools = installed([with_checkpoints, *ARRAY_TOOLS])
    paths = [os.path.join(folder, "others", "array.ckpt.zip")]
    paths += [os.path.join(folder, f"other{number}") for number in range(len(tools))]
    saves = [
        Work(lambda tool=tool, path=path: tool.save(path, array), make_room(path))
        for tool, path in zip(tools, paths, strict=False)
    ]
    loads = [
        Work(lambda tool=tool, path=path: tool.load(path))
        for tool, path in zip(tools, paths, strict=False)
    ]
    names = [tool.name for tool in tools]
    with checkpoints.config("others", folder, on_error="raise"):
        saved = beside_ours(f"{kind}: save", names, take_turns(saves, rounds))
    return [
        *saved,
        *beside_ours(f"{kind}: load, sum", names, take_turns(loads, rounds)),
    ]


def measure_dicts(folder: str, *, quick: bool) -> list[Row]:
    rounds, times = (3, 10) if quick else (40, 50)
    numbers = itertools.count()
    files = os.path.join(folder, "dicts")
    os.makedirs(files)

    def ours() -> None:
        for name in itertools.islice(fresh, times):
            checkpoints.checkpoint(name, VALUES)

    def repeated(save: Callable[[str], object]) -> Work:
        def run() -> None:
            for number in itertools.islice(numbers, times):
                save(os.path.join(files, str(number)))

        return Work(run, settle)

    savers = dict(installed([joblib_dicts, pickle_dicts, json_dicts]))
    works = [Work(ours, settle), *map(repeated, savers.values())]
    with checkpoints.config("dicts", folder, on_error="raise"):
        fresh = iter(called_before("dicts", times * (rounds + 1)))
        turns = take_turns(works, rounds)
    return beside_ours("small dict, save", ["ours", *savers], turns, times)


def beside_ours(
    what: str, names: list[str], turns: list[list[float]], times: int = 1
) -> list[Row]:
    """Return a row for each tool except the first, which is checkpoints."""
    ours = turns[0]
    mine = statistics.median(ours) / times
    return [
        Row(
            what,
            name,
            median_ratio(ours, theirs),
            None,
            mine,
            statistics.median(theirs) / times,
        )
        for name, theirs in list(zip(names, turns, strict=True))[1:]
    ]


def installed(makers: list[Callable[..., tuple]], *given: object) -> list[tuple]:
    """Return the tools whose packages are installed, and report those skipped."""
    tools = []
    for maker in makers:
        try:
            tools.append(maker(*given))
        except ImportError as error:
            print(f" (skipped {maker.__name__}: {error}) ", end="", flush=True)
    return tools


def with_checkpoints() -> Tool:
    return Tool(
        "checkpoints",
        lambda _, array: checkpoints.checkpoint("others.array", x=array),
        lambda path: checkpoints.load(path)["x"].sum(),
    )


def with_numpy() -> Tool:
    import numpy

    def save(path: str, array: ndarray) -> None:
        with open(path, "wb") as file:
            numpy.savez(file, x=array)

    return Tool("`np.savez`", save, lambda path: numpy.load(path)["x"].sum())


def with_pickle() -> Tool:
    def save(path: str, array: ndarray) -> None:
        with open(path, "wb") as file:
            pickle.dump(array, file, protocol=5)

    def load(path: str) -> object:
        with open(path, "rb") as file:
            return pickle.load(file).sum()

    return Tool("`pickle`", save, load)


def with_joblib() -> Tool:
    import joblib

    return Tool(
        "`joblib`",
        lambda path, array: joblib.dump(array, path),
        lambda path: joblib.load(path).sum(),
    )


def with_torch() -> Tool:
    import torch

    return Tool(
        "`torch.save`",
        lambda path, array: torch.save(torch.from_numpy(array), path),
        lambda path: torch.load(path).sum(),
    )


def with_safetensors() -> Tool:
    from safetensors.numpy import load_file, save_file

    return Tool(
        "`safetensors`",
        lambda path, array: save_file({"x": array}, path),
        lambda path: load_file(path)["x"].sum(),
    )


def with_h5py() -> Tool:
    import h5py

    def save(path: str, array: ndarray) -> None:
        with h5py.File(path, "w") as file:
            file["x"] = array

    def load(path: str) -> object:
        with h5py.File(path) as file:
            return file["x"][:].sum()

    return Tool("`h5py`", save, load)


def with_zarr() -> Tool:
    import zarr

    def save(path: str, array: ndarray) -> None:
        zarr.create_array(path, data=array, compressors=None)

    return Tool(
        "`zarr`, uncompressed", save, lambda path: zarr.open_array(path)[:].sum()
    )


ARRAY_TOOLS = [
    with_numpy,
    with_pickle,
    with_joblib,
    with_torch,
    with_safetensors,
    with_h5py,
    with_zarr,
]


def joblib_dicts() -> tuple[str, Callable[[str], object]]:
    import joblib

    return "`joblib`", lambda path: joblib.dump(VALUES, path)


def pickle_dicts() -> tuple[str, Callable[[str], object]]:
    def save(path: str) -> None:
        with open(path, "wb") as file:
            pickle.dump(VALUES, file)

    return "`pickle`", save


def json_dicts() -> tuple[str, Callable[[str], object]]:
    def save(path: str) -> None:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(VALUES, file)

    return "`json`", save
