"""Saves to an object store, while one request in so many breaks on the way."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from proxy import (
    CUTS,
    CUTS_REQUEST,
    ERRS,
    ERRS_AFTER,
    FAILS,
    LOSES_REPLY,
    PASSES,
    REFUSES,
    SLOWS,
    STALLS,
    before,
)

from checkpoints import FileHandler, UnknownOutcomeError, index, tags

pytest.importorskip("obstore", reason="it talks to the servers")

WAYS = (CUTS, CUTS_REQUEST, ERRS, ERRS_AFTER, FAILS)
WAYS += (LOSES_REPLY, REFUSES, SLOWS, STALLS)
OPTIONS = {"client_options": {"timeout": "1s"}, "retry_config": {"max_retries": 2}}
SAVED, FAILED, UNKNOWN = "saved", "failed", "unknown"
FORMS = ("error", "keep", "replace", "skip")


@pytest.fixture
def proxy(ministack):
    with before(ministack) as proxy:
        yield proxy


def breaking(share):
    """Break this share of the requests, each in one of the ways, by chance."""
    chance, turn = random.Random(0), threading.Lock()

    def breaks(_):
        with turn:
            return chance.choice(WAYS) if chance.random() < share else PASSES

    return breaks


def honest(save):
    """Tell what became of a save, as a program would see it."""
    try:
        save()
    except UnknownOutcomeError:
        return UNKNOWN
    except OSError:
        return FAILED
    return SAVED


def told(root, options, count, teller):
    """Save so many numbers, and return what was told of each."""
    handlers = [
        FileHandler(root, if_exists=form, store_options=options) for form in FORMS
    ]

    def save(number):
        with tags(number=number):
            handlers[number % len(FORMS)].checkpoint("network", f"text {number}")

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda it: teller(lambda: save(it)), range(count)))


def breaches(root, options, outcomes):
    """What is in the store in another way than it was told."""
    entries = index(root, store_options=options)
    with ThreadPoolExecutor(8) as pool:
        values = list(pool.map(lambda entry: entry.load(), entries))
    found = Counter()
    for entry, value in zip(entries, values, strict=True):
        number = int(entry.tags["number"])
        found[number] += 1
        if value != {"data": f"text {number}"}:
            yield f"{number} is another value"
    for number, outcome in enumerate(outcomes):
        if found[number] > 1:
            yield f"{number} is there {found[number]} times"
        if found[number] != (outcome == SAVED) and outcome != UNKNOWN:
            yield f"{number} was told {outcome}, and is there {found[number]} times"


class TestBrokenRequests:
    def test_what_was_told_of_a_save_is_in_the_store(
        self, proxy, ministack, new_root, record, full
    ):
        count, share = (10_000, 0.05) if full else (200, 0.3)
        broken = proxy.options(ministack, **OPTIONS)
        proxy.breaks = breaking(share)
        root = new_root(ministack)
        outcomes = told(root, broken, count, honest)
        assert outcomes.count(SAVED) > count / 2
        proxy.breaks = breaking(0.5)
        control = new_root(ministack)
        lies = told(control, broken, 100, lambda save: honest(save) and SAVED)
        record(
            "what was told of a save to a bucket is so",
            cases=count,
            breaches=list(breaches(root, ministack.options, outcomes)),
            control=len(list(breaches(control, ministack.options, lies))),
            note=f"{share:.0%} of requests broken, in {len(WAYS)} ways: "
            f"{outcomes.count(FAILED)} failed, {outcomes.count(UNKNOWN)} unknown; "
            "control: all are told saved",
        )
