"""The folds: each sets other wines aside, to test on what was learned from the rest."""

from __future__ import annotations

import pandas as pd
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

import checkpoints
from checkpoints import checkpoint

FOLDS = 4

checkpoints.register(__name__, ["split", "scaled"])


def split(wines: pd.DataFrame, fold: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the wines to learn from, and those to test on."""
    rows = list(KFold(FOLDS).split(wines))
    learn, test = (wines.iloc[part] for part in rows[fold - 1])
    checkpoint("harvest.folds.split", learn=learn, test=test)
    return learn, test


def scale(learn: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bring every measure to mean 0 and deviation 1, judged by the wines to learn."""
    measures = learn.columns.drop("grower")
    scaler = StandardScaler().fit(learn[measures])
    scaled = []
    for wines in (learn, test):
        values = pd.DataFrame(scaler.transform(wines[measures]), wines.index, measures)
        scaled.append(values.assign(grower=wines["grower"]))
    checkpoint("harvest.folds.scaled", means=scaler.mean_, deviations=scaler.scale_)
    return scaled[0], scaled[1]
