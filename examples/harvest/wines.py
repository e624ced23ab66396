"""The data: measurements of 178 wines from three growers in one region."""

from __future__ import annotations

import pandas as pd
from sklearn.datasets import load_wine

import checkpoints
from checkpoints import checkpoint

checkpoints.register(__name__, ["loaded", "cleaned"])


def load() -> pd.DataFrame:
    wines = load_wine(as_frame=True).frame
    checkpoint("harvest.wines.loaded", wines=wines)
    return wines


def clean(wines: pd.DataFrame) -> pd.DataFrame:
    names = {"target": "grower", "od280/od315_of_diluted_wines": "protein"}
    cleaned = wines.rename(columns=names).drop_duplicates(ignore_index=True)
    checkpoint("harvest.wines.cleaned", wines=cleaned)
    return cleaned
