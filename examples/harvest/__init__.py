"""
Tell from a wine's chemistry which of three growers made it.

A library like any other: each stage declares what could be saved of it, and saves
nothing. Whether anything is saved, and where, the application decides.
"""

from harvest.folds import FOLDS, scale, split
from harvest.growers import MODELS, evaluate, fit, predict
from harvest.wines import clean, load

__all__ = [
    "FOLDS",
    "MODELS",
    "clean",
    "evaluate",
    "fit",
    "load",
    "predict",
    "scale",
    "split",
]
