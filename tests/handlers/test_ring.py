"""The last saves in memory: bounded, and each returned once."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import CancelledError, InvalidStateError

import pytest

from checkpoints import Key
from checkpoints._handlers.ring import Outcome, RecordedSave, RingBuffer


def recorded(number, size=10):
    return RecordedSave(Key("memory.step"), {"n": number}, size, (), Outcome(1))


def numbers(saves):
    return [save.values["n"] for save in saves]


@pytest.fixture
def ring():
    return RingBuffer(30)


class TestRingBuffer:
    def test_keeps_as_many_bytes_as_it_may(self, ring):
        for number in range(5):
            ring.add(recorded(number))
        assert (ring.size, ring.discarded) == (30, 2)
        with ring.dump(1) as saves:
            assert numbers(saves) == [2, 3, 4]
        assert ring.size == 0

    def test_gives_up_as_many_as_a_large_one_needs(self, ring):
        for size in (10, 10, 10, 25):
            ring.add(recorded(size, size))
        assert (ring.size, ring.discarded) == (25, 3)

    def test_keeps_first_what_is_put_back(self, ring):
        ring.add(recorded(1))
        ring.add(recorded(2))
        with pytest.raises(KeyboardInterrupt), ring.dump(1) as saves:
            next(saves)
            raise KeyboardInterrupt
        assert (ring.take().values["n"], ring.size) == (1, 10)

    def test_gives_nothing_to_a_dump_within_a_dump(self, ring):
        ring.add(recorded(1))
        with ring.dump(1) as outer:
            with ring.dump(1) as inner:
                assert numbers(inner) == []
            assert numbers(outer) == [1]
        ring.add(recorded(2))
        with ring.dump(1) as later:
            assert numbers(later) == [2]

    def test_gives_out_what_was_kept_when_it_began(self, ring):
        ring.add(recorded(1))
        ring.add(recorded(2))
        given = []
        with ring.dump(1) as saves:
            for save in saves:
                given.append(save.values["n"])
                if save.values["n"] < 9:
                    ring.add(recorded(save.values["n"] + 2))
        assert given == [1, 2]
        with ring.dump(1) as saves:
            assert numbers(saves) == [3, 4]

    def test_gives_nothing_while_another_thread_dumps(self, ring):
        ring.add(recorded(1))
        seen = []

        def other():
            with ring.dump(0) as saves:
                seen.extend(saves)

        with ring.dump(1):
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
        assert seen == []
        with ring.dump(0) as saves:
            assert numbers(saves) == [1]

    def test_can_be_given_out_after_a_dump_that_failed(self, ring):
        ring.add(recorded(1))
        with pytest.raises(KeyboardInterrupt), ring.dump(1):
            raise KeyboardInterrupt
        with ring.dump(0) as saves:
            assert numbers(saves) == [1]


class TestOutcome:
    def test_tells_of_each_part_and_is_over_with_the_last(self):
        outcome, told = Outcome(3), []
        outcome.add_done_callback(told.append)
        one, two, three = outcome.parts
        error = OSError("full")
        outcome.settle(one, None, False)
        outcome.settle(two, error)
        assert told == [one, two]
        assert not outcome.done()
        outcome.settle(three, None)
        assert told == [one, two, three]
        assert [part.exception() for part in told] == [None, error, None]
        assert outcome.exception() is error

    def test_of_one_part_is_what_that_came_to(self):
        outcome = Outcome(1)
        outcome.settle(*outcome.parts, None, False)
        assert outcome.result() is False

    def test_with_a_part_that_was_dropped_is_dropped(self):
        outcome = Outcome(2)
        outcome.settle(outcome.parts[0], CancelledError())
        outcome.settle(outcome.parts[1], None)
        assert outcome.parts[0].cancelled()
        assert outcome.cancelled()

    def test_stays_what_it_was_when_it_is_settled_again(self):
        outcome, told = Outcome(1), []
        outcome.add_done_callback(told.append)
        outcome.settle(*outcome.parts, None, "first")
        outcome.settle(*outcome.parts, OSError("second"))
        outcome.settle(*outcome.parts, CancelledError())
        assert len(told) == 1
        assert outcome.result() == outcome.parts[0].result() == "first"

    def test_can_be_settled_by_many_threads_at_once(self):
        def settle(outcome, barrier):
            barrier.wait()
            try:
                outcome.settle(*outcome.parts, None)
            except InvalidStateError as error:
                errors.append(error)

        errors = []
        usual = sys.getswitchinterval()
        sys.setswitchinterval(1e-7)
        try:
            for _ in range(500):
                shared = Outcome(1), threading.Barrier(3)
                threads = [
                    threading.Thread(target=settle, args=shared) for _ in range(3)
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
        finally:
            sys.setswitchinterval(usual)
        assert errors == []
