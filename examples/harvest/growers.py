"""The growers: fit a model, predict the grower, and evaluate the predictions."""

from __future__ import annotations

import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

import checkpoints
from checkpoints import Session, checkpoint

MODELS = {
    "bayes": GaussianNB(),
    "forest": RandomForestClassifier(n_estimators=50, random_state=0),
    "logistic": LogisticRegression(),
}

checkpoints.register(__name__, ["fitted", "predicted", "evaluated"])


def fit(learn: pd.DataFrame, model: str) -> ClassifierMixin:
    fitted = MODELS[model].fit(learn.drop(columns="grower"), learn["grower"])
    checkpoint("harvest.growers.fitted", model=model, settings=fitted.get_params())
    return fitted


def predict(fitted: ClassifierMixin, test: pd.DataFrame) -> pd.Series:
    measures = test.drop(columns="grower")
    guesses = pd.Series(fitted.predict(measures), test.index, name="guess")
    checkpoint(
        "harvest.growers.predicted",
        truth=test["grower"],
        guesses=guesses,
        certainty=fitted.predict_proba(measures),
    )
    return guesses


def evaluate(test: pd.DataFrame, guesses: pd.Series) -> float:
    """Return the share of the test wines that were predicted correctly."""
    right = guesses == test["grower"]
    # A session collects values piece by piece, and saves them as one entry.
    with Session("harvest.growers.evaluated") as evaluated:
        evaluated.checkpoint(overall=float(right.mean()))
        for grower, share in right.groupby(test["grower"]).mean().items():
            evaluated.checkpoint({f"grower_{grower}": share})
    return float(right.mean())
