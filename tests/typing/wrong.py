"""
Lines that must not check, each with the errors that mypy and pyright tell of it.

Both check this file, where an error that does not come is an error of its own. It is
never run.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import checkpoints as cp


def report(key: cp.Key, data: Mapping[str, Any]) -> None:
    print(key, data)


# An option that is not there

cp.config("a", "out", evry=2)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
cp.config("a", report, evry=2)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
cp.config(cp.DictHandler(), "a", evry=2)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
cp.Rule("a", "out", evry=2)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
cp.FileHandler("out", evry=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
cp.Recorder("out", evry=2)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
cp.capture("a", every=2)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]

# A choice that is not there

cp.config("a", "out", if_exists="overwrite")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
cp.config("a", "out", on_error="log")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
cp.config("a", "out", format="hdf5")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
cp.config("a", "out", compression="lz4")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
cp.config("a", "out", on_full="wait")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
cp.Rule("a", "out", on_error="log")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
cp.FileHandler("out", if_exists="overwrite")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
cp.FileHandler("out", compression="lz4")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
cp.Recorder("out", when="inf")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
cp.Recorder("out", format="hdf5")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]

# A value of another type

cp.config("a", "out", every="2")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
cp.config("a", "out", where="day=1")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
cp.config("a", "out", transform=len)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
cp.config("a", "out", durable="yes")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
cp.config("a", "out", max_bytes=0.5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
cp.config(3, "out")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
cp.config("a", 3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
cp.config("a", [3])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType, reportCallIssue]
cp.config("a", lambda key: None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]

# An option of files, and no path

cp.config("a", report, if_exists="keep")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
cp.config("a", cp.DictHandler(), durable=True)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
cp.config("a", None, background=True)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
cp.config(cp.FileHandler("out"), "a", if_exists="keep")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
cp.Rule("a", None, compression="zstd")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
cp.Recorder(report, durable=True)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]

# An option of a rule, and a handler of its own

cp.FileHandler("out", every=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
cp.Recorder("out", every=2)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
cp.DictHandler(durable=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
