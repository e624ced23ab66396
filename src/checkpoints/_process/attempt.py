"""Which attempt at a task of an engine this thread is at work on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeAlias

__all__ = ["Attempt", "attempt"]

# What the engine calls the task, and a number that grows with each attempt at it.
Attempt: TypeAlias = tuple[str, int]


def attempt() -> Attempt | tuple[()]:
    """Return the task of an engine that runs in this thread; nothing outside of one."""
    for name, ask in _ENGINES:
        module = sys.modules.get(name)
        if module is not None:
            try:
                found = ask(module)
            except Exception:  # noqa: BLE001, S112 - a version that tells it otherwise
                continue
            if found is not None:
                return found
    return ()


def _of_dask(module: Any) -> Attempt | None:
    key = getattr(module.thread_state, "key", None)
    if key is None:
        return None
    worker = module.thread_state.execution_state["worker"]
    return str(key), int(worker.state.tasks[key].run_id)


def _of_spark(module: Any) -> Attempt | None:
    context = module.TaskContext.get()
    if context is None:
        return None
    task = f"stage {context.stageId()}, partition {context.partitionId()}"
    return task, int(context.attemptNumber())


def _of_ray(module: Any) -> Attempt | None:
    worker = module.global_worker
    if worker.mode != module.WORKER_MODE or worker.current_task_id.is_nil():
        return None
    number = worker.core_worker.get_current_task_attempt_number()
    return worker.current_task_id.hex(), int(number)


# Not a dict: where memory runs out, Python crashes as it begins to go through one.
_ENGINES: tuple[tuple[str, Callable[[Any], Attempt | None]], ...] = (
    ("distributed.worker", _of_dask),
    ("pyspark.taskcontext", _of_spark),
    ("ray._private.worker", _of_ray),
)
