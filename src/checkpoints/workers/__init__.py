"""
Pools whose work is saved under the tags, rules and run of who hands it to them.

They are those of `concurrent.futures`, and one over Ray, and `carry` their work;
`Initializer` is for pools of other makers.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

from checkpoints import MissingDependencyError, carry

__all__ = [
    "Initializer",
    "ProcessPoolExecutor",
    "RayExecutor",
    "ThreadPoolExecutor",
]

P = ParamSpec("P")
R = TypeVar("R")


class Initializer:
    """
    Puts today's tags, rules and run in force for good, in each worker of a pool.

    For pools that take a function to call first in each of their threads or processes,
    such as `multiprocessing.Pool(initializer=...)`, or the `worker_init_fn` of PyTorch.

    Args:
        function: Called after that, if given.
        *args: Its arguments.

    >>> import concurrent.futures
    >>> from checkpoints import current_tags, tags
    >>> with tags(fold=1):
    ...     pool = concurrent.futures.ThreadPoolExecutor(initializer=Initializer())
    >>> with pool:
    ...     pool.submit(current_tags).result()
    (('fold', 1),)
    """

    def __init__(
        self, function: Callable[..., object] | None = None, *args: Any
    ) -> None:
        self._carried = carry(_nothing if function is None else function)
        self._args = args

    def __call__(self, *more: Any) -> None:
        """
        Put them in force here.

        Args:
            *more: What the pool passes, such as the number of the worker; the function
                gets it after its own arguments.
        """
        self._carried.settle()
        self._carried(*self._args, *more)


def _nothing(*_: object) -> None:
    pass


class ThreadPoolExecutor(futures.ThreadPoolExecutor):
    """
    Threads that save under the tags with which their work was submitted.

    Takes the arguments of `concurrent.futures.ThreadPoolExecutor`.

    >>> from checkpoints import current_tags, tags
    >>> with ThreadPoolExecutor() as pool, tags(fold=1):
    ...     pool.submit(current_tags).result()
    (('fold', 1),)
    """

    def submit(
        self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> futures.Future[R]:
        """Hand a call to the threads."""
        return super().submit(carry(fn), *args, **kwargs)


class ProcessPoolExecutor(futures.ProcessPoolExecutor):
    """
    Processes that save under the tags, rules and run with which work was submitted.

    Takes the arguments of `concurrent.futures.ProcessPoolExecutor`.
    """

    def submit(
        self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> futures.Future[R]:
        """Hand a call to the processes."""
        return super().submit(carry(fn), *args, **kwargs)


class RayExecutor(futures.Executor):
    """
    Workers of Ray that save under the tags, rules and run of submitted work.

    Args:
        **options: Those of `ray.remote`, such as `num_cpus=2` or `max_retries=5`.

    Raises:
        MissingDependencyError: If Ray is not installed.
    """

    def __init__(self, **options: Any) -> None:
        try:
            ray = import_module("ray")
        except ImportError as error:
            raise MissingDependencyError(
                "RayExecutor needs Ray: pip install ray"
            ) from error
        self._call = ray.remote(**options)(_call) if options else ray.remote(_call)

    def submit(
        self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> futures.Future[R]:
        """Hand a call to the workers."""
        reference = self._call.remote(carry(fn), *args, **kwargs)
        future: futures.Future[R] = reference.future()
        return future


def _call(function: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    return function(*args, **kwargs)
