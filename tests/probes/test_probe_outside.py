"""Probes set from outside, in programs and libraries by other authors."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import checkpoints
from checkpoints import index

pytest.importorskip("wrapt")

HERE = Path(__file__).parents[1]
LOCATION = Path(checkpoints.__file__).parents[1]
METHODS = ["fork", "spawn"] if os.name == "posix" else ["spawn"]

# What whoever starts a program for somebody does before it.
START = """
import os
import checkpoints
from checkpoints._probes.targets import probes_from_environment
checkpoints.config("*", os.environ["ROOT"])
probes_from_environment()
"""


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


@pytest.fixture
def run(tmp_path, root):
    """Run a program under probes; it must succeed, and print nothing about them."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "sitecustomize.py").write_text(START)

    def run(program, *targets):
        file = tmp_path / "program.py"
        file.write_text(textwrap.dedent(program))
        ended = subprocess.run(
            [sys.executable, "-W", "ignore:This process:DeprecationWarning", str(file)],
            check=False,
            capture_output=True,
            text=True,
            timeout=100,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(map(str, (outside, LOCATION, HERE))),
                "CHECKPOINTS_PROBES": ";".join(targets),
                "ROOT": str(root),
            },
        )
        told = [
            line
            for line in ended.stderr.splitlines()
            if not re.search("is saved as a pickle|^<Rule '[*]'", line)
        ]
        assert (ended.returncode, told) == (0, [])
        return ended.stdout

    return run


def calls(root, name):
    """What each call of a function was given and has returned, by its tags."""
    entries = {(entry.name, entry.tags): entry for entry in index(root)}
    return [
        (entry, entries[f"{name}.result", pairs])
        for (called, pairs), entry in entries.items()
        if called == name
    ]


def repeated(function, given):
    """Call a function with the values of an entry."""
    values = given.load(trusted=True)
    bound = inspect.BoundArguments(inspect.signature(function), values)
    return function(*bound.args, **bound.kwargs)


class TestScikitLearn:
    PROGRAM = """
        import numpy as np
        from sklearn.linear_model import Ridge
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import StandardScaler

        X = np.arange(30.0).reshape(10, 3) ** 1.5
        model = Pipeline([("scale", StandardScaler()), ("ridge", Ridge(alpha=2))])
        print(model.fit(X, X[:, 0]).predict(X)[:2].round(6).tolist())
    """

    def test_prints_the_same_with_probes_and_without(self, run):
        probed = run(self.PROGRAM, "sklearn.pipeline:Pipeline.fit")
        assert probed == run(self.PROGRAM)

    def test_a_pipeline_and_its_last_step_are_fitted_again(self, run, root):
        pytest.importorskip("sklearn")
        import numpy
        from sklearn.linear_model import Ridge
        from sklearn.pipeline import Pipeline

        run(
            self.PROGRAM,
            "sklearn.pipeline:Pipeline.fit",
            "sklearn.linear_model.Ridge.fit",
        )
        ((given, got),) = calls(root, "sklearn.pipeline.Pipeline.fit")
        data = given.load("X")["X"]
        again = repeated(Pipeline.fit, given).predict(data)
        first = got.load(trusted=True)["result"].predict(data)
        assert numpy.array_equal(again, first)
        ((given, got),) = calls(root, "sklearn.linear_model.Ridge.fit")
        assert given.tags.values_of("call") == ["1", "1"]
        again = repeated(Ridge.fit, given).coef_
        assert numpy.array_equal(again, got.load(trusted=True)["result"].coef_)


class TestStatsmodels:
    def test_a_model_is_fitted_again(self, run, root):
        pytest.importorskip("statsmodels")
        import numpy
        from statsmodels.regression.linear_model import OLS

        program = """
            import numpy as np
            from statsmodels.regression.linear_model import OLS
            from statsmodels.tools import add_constant

            x = np.arange(10.0)
            print(OLS(x**2, add_constant(x)).fit(cov_type="HC1").params.tolist())
        """
        target = "statsmodels.regression.linear_model:OLS.fit"
        assert run(program, target) == run(program)
        ((given, got),) = calls(root, target.replace(":", "."))
        assert given.load("cov_type") == {"cov_type": "HC1"}
        again = repeated(OLS.fit, given).bse
        assert numpy.array_equal(again, got.load(trusted=True)["result"].bse)


class TestPandas:
    def test_merges_are_made_again(self, run, root):
        pandas = pytest.importorskip("pandas")
        program = """
            import pandas as pd

            left = pd.DataFrame({"k": [1, 2, 3], "a": [3, 4, 5]})
            right = pd.DataFrame({"k": [1, 2, 2], "a": [6, 7, 8]})
            print(pd.merge(left, right, on="k", suffixes=("", "_right")))
            print(left.merge(right, how="outer", on="k"))
        """
        targets = ["pandas:merge", "pandas:DataFrame.merge"]
        assert run(program, *targets) == run(program)
        for function, name in (
            (pandas.merge, "pandas.merge"),
            (pandas.DataFrame.merge, "pandas.DataFrame.merge"),
        ):
            # `DataFrame.merge` calls `pandas.merge`, by another name.
            count = 2 if name == "pandas.merge" else 1
            made = calls(root, name)
            assert len(made) == count
            for given, got in made:
                assert repeated(function, given).equals(got.load()["result"])

    def test_names_of_the_caller_are_found_through_several_probes(self, run):
        pytest.importorskip("pandas")
        program = """
            import pandas as pd

            def work(frame):
                limit = 1
                print(len(frame.query("a > @limit")), pd.eval("limit + 1"))

            for _ in range(3):
                work(pd.DataFrame({"a": [1, 2, 3]}))
        """
        targets = [
            *("pandas:DataFrame.query", "pandas:DataFrame.eval", "pandas:eval"),
            "pandas.core.computation.scope:*",
            "pandas.core.computation.scope:Scope.__init__",
        ]
        assert run(program, *targets) == run(program) == "2 2\n" * 3


class TestScipy:
    def test_a_test_behind_decorators_is_made_again(self, run, root):
        stats = pytest.importorskip("scipy.stats")
        program = """
            from scipy.stats import ttest_ind

            print(ttest_ind([1, 2, 3], [2, 3, 5], equal_var=False))
        """
        assert run(program, "scipy.stats:ttest_ind") == run(program)
        ((given, got),) = calls(root, "scipy.stats.ttest_ind")
        assert (given.load()["b"], given.load()["equal_var"]) == ([2, 3, 5], False)
        again = repeated(stats.ttest_ind, given)
        assert again.pvalue == got.load(trusted=True)["result"].pvalue


class TestProcesses:
    @pytest.mark.parametrize("method", METHODS)
    def test_of_multiprocessing_are_told_apart(self, run, root, method):
        program = f"""
            import multiprocessing
            from probed.later_module import work

            if __name__ == "__main__":
                from probed import later_module
                later_module.work(0)
                context = multiprocessing.get_context({method!r})
                with context.Pool(2) as pool:
                    print(pool.map(later_module.work, range(1, 5), chunksize=1))
                    pool.close()
                    pool.join()
        """
        assert run(program, "probed.later_module:work") == "[2, 4, 6, 8]\n"
        made = calls(root, "probed.later_module.work")
        results = {given.load()["x"]: got.load()["result"] for given, got in made}
        assert results == {0: 0, 1: 2, 2: 4, 3: 6, 4: 8}
        (parent,) = (given for given, _ in made if given.load()["x"] == 0)
        assert list(parent.tags) == ["call"]
        for given, _ in made:
            if given is not parent:
                assert given.tags["process"] == str(given.meta["pid"])

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
    def test_of_a_forked_child_are_counted_from_1(self, run, root):
        program = """
            import os
            from probed import later_module
            later_module.work(0)
            if not os.fork():
                later_module.work(1)
                os._exit(0)
            os.wait()
        """
        run(program, "probed.later_module:work")
        made = calls(root, "probed.later_module.work")
        numbers = {given.load()["x"]: given.tags["call"] for given, _ in made}
        assert numbers == {0: "1", 1: "1"}

    def test_of_a_joblib_pool_are_told_apart(self, run, root):
        pytest.importorskip("joblib")
        program = """
            from joblib import Parallel, delayed
            from probed import later_module

            if __name__ == "__main__":
                jobs = (delayed(later_module.work)(x) for x in range(4))
                print(Parallel(n_jobs=2)(jobs))
        """
        assert run(program, "probed.later_module:work") == "[0, 2, 4, 6]\n"
        made = calls(root, "probed.later_module.work")
        assert {given.load()["x"] for given, _ in made} == {0, 1, 2, 3}
        assert all("process" in given.tags for given, _ in made)

    def test_that_never_meet_a_module_say_so_once(self, tmp_path, root):
        outside = tmp_path / "sitecustomize.py"
        outside.write_text(START)
        program = tmp_path / "program.py"
        program.write_text(
            "import subprocess, sys, json\n"
            "subprocess.run([sys.executable, '-c', ''], check=True)\n"
        )
        ended = subprocess.run(
            [sys.executable, str(program)],
            check=True,
            capture_output=True,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": f"{tmp_path}{os.pathsep}{LOCATION}",
                "CHECKPOINTS_PROBES": "jsn.decoder:scan",
                "ROOT": str(root),
            },
        )
        assert ended.stderr.count("no such module was imported") == 1
        assert "did you mean 'json.decoder'?" in ended.stderr


class TestRecorder:
    def test_writes_what_a_program_was_given_when_it_fails(self, tmp_path, root):
        (tmp_path / "sitecustomize.py").write_text(
            "import os, checkpoints\n"
            "from checkpoints._probes.targets import probes_from_environment\n"
            "from checkpoints._environment import recorder_for\n"
            "target, options = recorder_for(os.environ['ROOT'], {})\n"
            "checkpoints.config('*', target, **options)\n"
            "probes_from_environment()\n"
        )
        program = tmp_path / "program.py"
        program.write_text(
            "import os, sys\n"
            "from probed import shop\n"
            "for n in range(300): shop.Till.rounded(n)\n"
            "assert not os.path.exists(os.environ['ROOT'])\n"
            "shop.refuse('closed')\n"
        )
        ended = subprocess.run(
            [sys.executable, str(program)],
            check=False,
            capture_output=True,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(map(str, (tmp_path, LOCATION, HERE))),
                "CHECKPOINTS_PROBES": "probed.shop:Till.rounded;probed.shop:refuse",
                "CHECKPOINTS_RECORD": "100kB",
                "ROOT": str(root),
            },
        )
        assert ended.returncode == 1
        assert "LookupError: closed" in ended.stderr
        entries = index(root)
        last = max(entries, key=lambda entry: entry.meta["sequence"])
        assert last.name == "probed.shop.refuse.exception"
        assert 20 < len(entries) < 60
        whys = {entry.meta["dumped"] for entry in entries}
        assert whys == {"exception: LookupError: closed"}


class TestAsyncio:
    def test_tasks_are_told_apart(self, run, root):
        program = """
            import asyncio
            from probed import shop

            async def main():
                print(await asyncio.gather(shop.later(1, 0.01), shop.later(2)))

            asyncio.run(main())
        """
        assert run(program, "probed.shop:later") == "[2, 3]\n"
        made = calls(root, "probed.shop.later")
        assert {given.load()["x"]: got.load()["result"] for given, got in made} == {
            1: 2,
            2: 3,
        }
        assert {given.tags["call"] for given, _ in made} == {"1", "2"}
