"""Cross-validation: each fold holds out other wines, to test what the rest taught."""

from __future__ import annotations

import pandas as pd
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

import checkpoints
from checkpoints import checkpoint

FOLDS = 4

checkpoints.register(__name__, ["split", "scaled"])


def split(wines: pd.DataFrame, fold: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the training wines and the test wines of a fold."""
    rows = list(KFold(FOLDS).split(wines))
    learn, test = (wines.iloc[part] for part in rows[fold - 1])
    checkpoint("harvest.folds.split", learn=learn, test=test)
    return learn, test


def scale(learn: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scale every measure to mean 0 and deviation 1, fitted on the training wines."""
    measures = learn.columns.drop("grower")
    scaler = StandardScaler().fit(learn[measures])
    scaled = []
    for wines in (learn, test):
        values = pd.DataFrame(scaler.transform(wines[measures]), wines.index, measures)
        scaled.append(values.assign(grower=wines["grower"]))
    checkpoint("harvest.folds.scaled", means=scaler.mean_, deviations=scaler.scale_)
    return scaled[0], scaled[1]
