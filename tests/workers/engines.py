"""The engines of the tests, as clusters of processes on this machine."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path

import pytest

from checkpoints import workers

TOP = Path(__file__).parents[2]
# Processes that others start must find this module, and the library.
PATH = os.pathsep.join([str(TOP), str(TOP / "examples"), *filter(None, sys.path)])
sys.path.append(str(TOP / "examples"))


def environment():
    """Return the environment of a process that can import the tests."""
    return {**os.environ, "PYTHONPATH": PATH}


@contextmanager
def executor(name):
    """Start two workers of an engine, and yield what has a `submit`."""
    if name == "threads":
        with futures.ThreadPoolExecutor(2) as pool:
            yield pool
    elif name == "dask":
        with dask_client() as client:
            yield client.get_executor()
    elif name == "ray":
        with ray_cluster():
            yield workers.RayExecutor()
    else:
        context = multiprocessing.get_context(name)
        with futures.ProcessPoolExecutor(2, context) as pool:
            yield pool


@contextmanager
def dask_client(count=2):
    """Start a cluster of Dask."""
    distributed = pytest.importorskip("distributed", reason="it is in make engines")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = PATH
    try:
        with (
            distributed.LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.ERROR,
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before


@contextmanager
def ray_cluster():
    """Start a cluster of Ray."""
    ray = pytest.importorskip("ray", reason="it is in make engines")
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": PATH}},
    )
    try:
        yield ray
    finally:
        ray.shutdown()
