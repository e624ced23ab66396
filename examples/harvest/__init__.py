"""
Predict from a wine's chemistry which of three growers made it.

This is a library like any other: each stage declares what can be saved, and the
application decides whether anything is saved, and where.
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
