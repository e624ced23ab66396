"""The process of a replay elsewhere: it makes one call, and answers in a file."""

from __future__ import annotations

import json
import os
import pickle
import sys
from typing import Any

from checkpoints._replay.relocation import Relocation
from checkpoints._replay.replay import replay
from checkpoints.errors import CheckpointError

__all__: list[str] = []


def _main(place: str) -> None:
    """Answer the request in a file; what is printed meanwhile is not the answer."""
    with open(place, "rb") as file:
        request = pickle.load(file)  # noqa: S301 - from the process that started this
    del sys.argv[1:]
    moved = request["moved"] and Relocation(*request["moved"])
    if moved:
        moved.install()
    sys.path[:0] = filter(None, [request["folder"]])
    # After all others: a revision that is tested comes first.
    sys.path.append(os.getcwd())
    answer = _answer(request)
    answer["left"] = moved.modules_left() if moved else []
    with open(request["answer"], "w", encoding="utf-8") as file:
        json.dump(answer, file)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        document = replay(request["entry"], **request["options"]).as_json()
    except (CheckpointError, OSError) as error:
        return {"error": str(error)}
    (call,) = document["calls"]
    return {"call": call, "file": _file_of(call)}


def _file_of(call: dict[str, Any]) -> str:
    """Return the file of the function, or of its module; empty if there is none."""
    place, name = str(call["place"]), str(call["function"])
    if place:
        return os.path.realpath(place.rpartition(":")[0])
    while name and name not in sys.modules:
        name = name.rpartition(".")[0]
    file = getattr(sys.modules.get(name), "__file__", None)
    return os.path.realpath(str(file)) if file else ""


if __name__ == "__main__":
    _main(sys.argv[1])
