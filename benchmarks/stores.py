"""A bucket, beside the clients of its server: obstore, boto3 and s3fs."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import checkpoints
from benchmarks.others import installed
from benchmarks.rounds import Row, Work, median_ratio, show_progress, take_turns
from benchmarks.small import ONE_KILOBYTE
from tests.storage.proxy import Proxy

BUCKET = "measured"
# What is read of a file to know what it holds.
TAIL = 1 << 14


class Server:
    """A server of S3 on loopback, and how each client reaches it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}"
        self.options = {
            "access_key_id": "key",
            "secret_access_key": "secret",
            "endpoint": self.endpoint,
        }

    def store(self) -> Any:
        from obstore.store import S3Store

        return S3Store(BUCKET, client_options={"allow_http": True}, **self.options)

    def boto3(self) -> Any:
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )

    def s3fs(self) -> Any:
        import s3fs

        return s3fs.S3FileSystem(
            key="key",
            secret="secret",
            endpoint_url=self.endpoint,
            use_listings_cache=False,
        )


@contextmanager
def running(folder: str) -> Iterator[Server]:
    """Start MiniStack, which is the same for all, with an empty bucket."""
    import ministack  # noqa: F401 - skips all if it is missing

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SERVICES": "s3"}
    process = subprocess.Popen(
        [sys.executable, "-m", "ministack"],
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, process)
        server = Server(port)
        server.boto3().create_bucket(Bucket=BUCKET)
        yield server
    finally:
        process.kill()
        process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("the server did not start")


def measure(folder: str, *, quick: bool) -> list[Row]:
    with running(folder) as server:
        return [
            *small_saves(server, quick=quick),
            *listings(server, quick=quick),
            *large_saves(server, quick=quick),
            one_value(server, quick=quick),
            *equal_runs(server, quick=quick),
        ]


def small_saves(server: Server, *, quick: bool) -> list[Row]:
    """Many small saves, one by one, and by the background writer."""
    rounds, times = (2, 20) if quick else (3, 2000)
    numbers = itertools.count()
    one_by_one = saver(server, "saved")
    queued = saver(server, "queued", background=True)

    def ours(handler: checkpoints.FileHandler) -> None:
        for number in itertools.islice(numbers, times):
            with checkpoints.tags(number=number):
                handler.checkpoint("stores.small", ONE_KILOBYTE)
        handler.flush()

    def theirs(put: Callable[[str], object]) -> None:
        for number in itertools.islice(numbers, times):
            put(f"others/{number}")

    puts = installed(PUTS, server)
    works = [Work(lambda it=it: ours(it)) for it in (queued, one_by_one)]
    works += [Work(lambda put=put: theirs(put)) for _, put in puts]
    names = ["", "the same, one by one", *(name for name, _ in puts)]
    targets = {"obstore": 1.3, "boto3": 1 / 3}
    rows = []
    for clock, what in ((time.perf_counter, ""), (time.process_time, ", CPU time")):
        turns = take_turns(works, rounds if not what else 1, clock=clock)
        for start, kind in ((0, "in the background"), (1, "one by one")):
            rows += beside(
                f"{times:,} saves of 1 KB to a bucket, {kind}{what}",
                names[start:],
                turns[start:],
                {} if what or start else targets,
            )
    return rows


def saver(server: Server, below: str, **options: Any) -> checkpoints.FileHandler:
    return checkpoints.FileHandler(
        f"s3://{BUCKET}/{below}", store_options=server.options, **options
    )


def beside(
    what: str, names: list[str], turns: list[list[float]], targets: dict[str, float]
) -> list[Row]:
    """Return a row for each but the first, which is ours."""
    ours = turns[0]
    return [
        Row(what, name, median_ratio(ours, it), targets.get(name), min(ours), min(it))
        for name, it in list(zip(names, turns, strict=True))[1:]
    ]


def with_obstore(server: Server) -> tuple[str, Callable[[str], object]]:
    store = server.store()
    return "obstore", lambda key: store.put(key, ONE_KILOBYTE)


def with_boto3(server: Server) -> tuple[str, Callable[[str], object]]:
    client = server.boto3()
    return "boto3", lambda key: client.put_object(
        Bucket=BUCKET, Key=key, Body=ONE_KILOBYTE
    )


def with_s3fs(server: Server) -> tuple[str, Callable[[str], object]]:
    system = server.s3fs()
    return "s3fs", lambda key: system.pipe_file(f"{BUCKET}/{key}", ONE_KILOBYTE)


PUTS = [with_obstore, with_boto3, with_s3fs]


def listings(server: Server, *, quick: bool) -> list[Row]:
    """The index of many entries, beside the listings of the clients."""
    rounds, models, days = (2, 2, 2) if quick else (5, 10, 20)
    number = fill(server, models, days)
    root, options = f"s3://{BUCKET}/many", server.options

    def found() -> None:
        if len(checkpoints.index(root, store_options=options)) != number:
            raise RuntimeError("not every entry was found")

    lists = installed(LISTS, server)
    works = [Work(found), *(Work(listed) for _, listed in lists)]
    names = ["", *(name for name, _ in lists)]
    turns = take_turns(works, rounds)
    what = f"index of {number:,} entries in a bucket"
    return beside(what, names, turns, {"obstore": 1.3})


def fill(server: Server, models: int, days: int) -> int:
    """Put what a program would have saved; the objects are copies of one."""
    root = f"s3://{BUCKET}/first"
    handler = checkpoints.FileHandler(root, store_options=server.options)
    handler.checkpoint("stores.first", loss=0.25)
    (first,) = checkpoints.index(root, store_options=server.options)
    store = server.store()
    data = store.get(first.path.removeprefix(f"s3://{BUCKET}/")).bytes().to_bytes()
    keys = [
        f"many/model=m{model}/day={day}/stores/stage{stage:02}.ckpt.zip"
        for model in range(models)
        for day in range(days)
        for stage in range(100)
    ]
    with ThreadPoolExecutor(8) as pool:
        for at, _ in enumerate(pool.map(lambda key: store.put(key, data), keys)):
            if at % 2000 == 0:
                show_progress()
    return len(keys)


def listed_by_obstore(server: Server) -> tuple[str, Callable[[], object]]:
    store = server.store()
    return "obstore", lambda: sum(len(page) for page in store.list("many/"))


def listed_by_boto3(server: Server) -> tuple[str, Callable[[], object]]:
    pages = server.boto3().get_paginator("list_objects_v2")
    return "boto3", lambda: sum(
        len(page["Contents"]) for page in pages.paginate(Bucket=BUCKET, Prefix="many/")
    )


def listed_by_s3fs(server: Server) -> tuple[str, Callable[[], object]]:
    system = server.s3fs()
    return "s3fs", lambda: len(system.find(f"{BUCKET}/many"))


LISTS = [listed_by_obstore, listed_by_boto3, listed_by_s3fs]


def large_saves(server: Server, *, quick: bool) -> list[Row]:
    import numpy

    rounds, megabytes = (2, 4) if quick else (5, 64)
    array = numpy.random.default_rng(0).random(megabytes * 125_000)
    store, client = server.store(), server.boto3()
    handler = saver(server, "large")
    numbers = itertools.count()

    def ours() -> None:
        with checkpoints.tags(number=next(numbers)):
            handler.checkpoint("stores.large", x=array)

    def clear() -> None:
        store.delete([it["path"] for page in store.list("large/") for it in page])

    data = memoryview(array).cast("B")
    works = [
        Work(ours, clear),
        Work(lambda: store.put("large/array", data), clear),
        Work(
            lambda: client.put_object(
                Bucket=BUCKET, Key="large/a", Body=array.tobytes()
            ),
            clear,
        ),
    ]
    turns = take_turns(works, rounds)
    what = f"{megabytes} MB float64: save to a bucket"
    return beside(what, ["", "obstore", "boto3"], turns, {"obstore": 1.2})


@contextmanager
def counted(server: Server) -> Iterator[tuple[Proxy, dict[str, str]]]:
    """Count what goes through a proxy; it is too slow to measure time through it."""
    proxy = Proxy(server.port)
    try:
        yield proxy, proxy.options(server)
    finally:
        proxy.close()


def one_value(server: Server, *, quick: bool) -> Row:
    """The requests for one value of a large entry."""
    import numpy

    count = 3 if quick else 100
    values = {f"x{at}": numpy.full(131_072, float(at)) for at in range(count)}
    saver(server, "wide").checkpoint("stores.wide", **values)
    root = f"s3://{BUCKET}/wide"
    with counted(server) as (proxy, options):
        (entry,) = checkpoints.index(root, store_options=options)
        proxy.requests.clear()
        entry.meta  # noqa: B018 - it is read
        of_header = len(proxy.requests)
        (entry,) = checkpoints.index(root, store_options=options)
        proxy.requests.clear()
        entry["x1"]
        mine = len(proxy.requests)
    what = f"requests for 1 MB out of an entry of {count} MB"
    beside = "those for its header, and two"
    allowed = of_header + 2
    return Row(what, beside, mine / allowed, 1, mine, allowed, "requests")


def equal_runs(server: Server, *, quick: bool) -> list[Row]:
    """What is read to find that two runs are equal."""
    import numpy

    pairs = 20 if quick else 1000
    roots = [f"s3://{BUCKET}/{below}" for below in ("one", "same")]
    array = numpy.random.default_rng(0).random(16_384)
    for below in ("one", "same"):
        handler = saver(server, below, background=True)
        for at in range(pairs):
            array[0] = at
            with checkpoints.tags(at=at):
                handler.checkpoint("stores.array", x=array)
        handler.flush()
        show_progress()
    with counted(server) as (proxy, options):
        found = [checkpoints.index(root, store_options=options) for root in roots]
        total = sum(len(each) for each in found)
        proxy.requests.clear()
        proxy.received = 0
        if checkpoints.diff(*found).verdict != "equal":
            raise RuntimeError("the runs differ")
        requests, received = len(proxy.requests), proxy.received / 1e6
    what = f"diff of {pairs:,} equal pairs of 128 kB in a bucket"
    tails = total * (TAIL + 1000) / 1e6
    return [
        Row(
            f"{what}: read", "16 kB of each", received / tails, 1, received, tails, "MB"
        ),
        Row(
            f"{what}: requests",
            "one for each object",
            requests / total,
            None,
            requests,
            total,
            "requests",
        ),
    ]
