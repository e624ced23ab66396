"""The application: it switches on some checkpoints, and runs the library."""

from __future__ import annotations

import pandas as pd
from sklearn.preprocessing import StandardScaler

import checkpoints
import harvest
import harvest.folds
from harvest_app import report

ROOT = "harvest-out"
RUNS = "harvest-runs/before", "harvest-runs/after"
CALLS = "harvest-runs/calls"


def main() -> None:
    # Without these two lines nothing is saved, and nothing else changes.
    checkpoints.config("harvest.folds.split", ROOT)
    checkpoints.config("harvest.growers", ROOT)

    accuracies = run()
    report.say("The accuracy of each model in predicting the grower, by fold:")
    report.show(accuracies)

    fold = accuracies.min().idxmin()
    model = accuracies[fold].idxmin()
    worst = accuracies.loc[model, fold]
    if worst < 0.5:
        report.say(f"{worst:.2f} looks wrong. This was saved in that run:")
        find_the_cause(model, fold)
    else:
        report.say("Nothing looks wrong.")
    report.show_where_to_look(checkpoints.index(ROOT))

    name_what_moved()
    call_it_alone()


def run() -> pd.DataFrame:
    """Run every model on every fold, each under tags that identify it."""
    accuracies = pd.DataFrame(dtype=float).rename_axis(columns="fold")
    wines = harvest.clean(harvest.load())
    for model in harvest.MODELS:
        for fold in range(1, harvest.FOLDS + 1):
            with checkpoints.tags(model=model, fold=fold):
                learn, test = harvest.split(wines, fold)
                learn, test = harvest.scale(learn, test)
                guesses = harvest.predict(harvest.fit(learn, model), test)
                accuracies.loc[model, fold] = harvest.evaluate(test, guesses)
    return accuracies


def find_the_cause(model: str, fold: int) -> None:
    """Show what one run saved, then the input of its first stage."""
    entries = list(checkpoints.index(ROOT).where(model=model, fold=fold))
    entries.sort(key=lambda entry: entry.meta["sequence"])
    report.show_entries(entries)

    report.say("The first entry, loaded: the number of wines of each grower in it.")
    parts = entries[0].load().items()
    counts = {part: wines["grower"].value_counts() for part, wines in parts}
    table = pd.DataFrame(counts).fillna(0).astype(int).sort_index()
    report.show(table.rename_axis(index=None, columns="grower"))

    report.say(
        "This is the cause. The wines are sorted by grower, and the split does not\n"
        "shuffle them: the test wines are from a grower that the model has hardly\n"
        "seen. To fix it, edit examples/harvest/folds.py, and run this again:\n\n"
        "  KFold(FOLDS, shuffle=True, random_state=0)"
    )


def name_what_moved() -> None:
    """Run the library before and after a change, and compare what was saved."""
    report.say(
        "Next month somebody changes one line of the library. The accuracies move.\n"
        "Which stage moved first? Both runs saved all stages, for one fold:"
    )
    before, after = RUNS
    checkpoints.reset()
    save_all(before)
    # The line is the one that fits the scaler: it now leaves out every other wine.
    harvest.folds.StandardScaler = HastyScaler
    save_all(after)
    report.show_difference(checkpoints.diff(before, after))


def call_it_alone() -> None:
    """Save a call of the stage as it was, and call it again as it is now."""
    report.say(
        "harvest.scale is the function of that stage. A call of it, saved with the\n"
        "line as it was, is executed again with the line as it is, nothing after it:"
    )
    checkpoints.reset()
    harvest.folds.StandardScaler = StandardScaler
    with (
        checkpoints.probe("harvest:scale"),
        checkpoints.config("harvest.scale", CALLS, where={"fold": 3}, limit=1),
    ):
        run()
    harvest.folds.StandardScaler = HastyScaler
    (call,) = (it for it in checkpoints.index(CALLS) if it.name == "harvest.scale")
    report.show_difference(checkpoints.replay(call, function=harvest.scale))


class HastyScaler(StandardScaler):
    def fit(self, wines: pd.DataFrame) -> HastyScaler:
        fitted: HastyScaler = super().fit(wines[::2])
        return fitted


def save_all(root: str) -> None:
    """Run every model, and save all seven stages of one fold."""
    with checkpoints.config("harvest", root, where={"fold": 3}):
        run()


if __name__ == "__main__":
    main()
