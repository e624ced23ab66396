"""Work that the tests hand to pools: in a module, so that processes can import it."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import checkpoints as cp


def square(x):
    """Save and return a square, and where that was."""
    cp.checkpoint("work.square", x=x, y=x * x)
    return x * x, os.getpid()


def squares(xs):
    """Yield squares, each saved under a tag that stays while the generator waits."""
    for x in xs:
        with cp.tags(inner=x):
            square(x)
            yield x


def frames(batches):
    """As Spark's `mapInPandas` calls it."""
    for batch in batches:
        square(int(batch["id"].sum()))
        yield batch


def square_alone(x):
    return square(x)[0]


def square_slowly(x):
    time.sleep(0.05)
    return square(x)


async def square_later(x):
    return square(x)


def is_odd(pairs):
    return dict(pairs)["x"] % 2 == 1


def current():
    return cp.current_tags(), [rule.as_dict() for rule in cp.rules()]


def doubled(numbers):
    return [2 * it for it in numbers]


def doubled_slowly(numbers):
    time.sleep(0.05)
    return doubled(numbers)


def die_soon():
    time.sleep(0.2)
    os._exit(1)


class Odd:
    """What only a pickle can hold."""

    def __eq__(self, other):
        return isinstance(other, Odd)

    __hash__ = None


def three_steps(root=None, before_last=lambda: None):
    """Save three values of one task, and do something before the last."""
    with cp.config("work", root) if root else contextlib.nullcontext():
        cp.checkpoint("work.first", 1)
        cp.checkpoint("work.middle", 2)
        before_last()
        cp.checkpoint("work.last", 3)


def three_steps_killed_once(mark):
    three_steps(before_last=lambda: _once(mark, _kill))


def three_steps_failed_once(mark):
    three_steps(before_last=lambda: _once(mark, _fail))


def _once(mark, function):
    if not os.path.exists(mark):
        with open(mark, "x"):
            pass
        function()


def _kill():
    os.kill(os.getpid(), signal.SIGKILL)


def _fail():
    raise RuntimeError("for the first time")


def halved(x):
    return x // 2


def place_probe():
    cp.probe("tests.workers.work:halved")


def square_and_fail(x):
    square(x)
    raise RuntimeError(f"after {x}")


class Squares:
    """A dataset of PyTorch, of which each item is saved."""

    def __init__(self, size):
        self.size = size

    def __len__(self):
        return self.size

    def __getitem__(self, x):
        if x >= self.size:
            raise IndexError(x)
        from torch.utils.data import get_worker_info

        with cp.tags(worker=get_worker_info().id):
            return square(x)[0]


def parts():
    import harvest

    return [(model, fold) for model in harvest.MODELS for fold in (1, 2)]


def pipeline_of(model, fold, hasty):
    """Run the stages of the demo, of which one line has changed where it is hasty."""
    from unittest import mock

    import harvest
    import harvest.folds
    from harvest_app.__main__ import HastyScaler

    scaler = HastyScaler if hasty else harvest.folds.StandardScaler
    with mock.patch.object(harvest.folds, "StandardScaler", scaler):
        wines = harvest.clean(harvest.load())
        learn, test = harvest.split(wines, fold)
        learn, test = harvest.scale(learn, test)
        guesses = harvest.predict(harvest.fit(learn, model), test)
        return harvest.evaluate(test, guesses)


def pipeline_alone(root, hasty):
    with cp.config("harvest", root):
        for model, fold in parts():
            with cp.tags(model=model, fold=fold):
                pipeline_of(model, fold, hasty)
