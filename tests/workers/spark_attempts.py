"""A program of Spark whose task fails once; its arguments are a root and a mark."""

from __future__ import annotations

import os
import sys

from pyspark.sql import SparkSession

import checkpoints as cp
from tests.workers import work

os.environ["PYSPARK_PYTHON"] = sys.executable
spark = (
    # At most three failures of a task.
    SparkSession.builder.master("local[2, 3]")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.host", "127.0.0.1")
    .getOrCreate()
)
with cp.config("work", sys.argv[1], if_exists="keep"):
    numbers = spark.sparkContext.parallelize([sys.argv[2]], 1)
    numbers.map(cp.carry(work.three_steps_failed_once)).collect()
spark.stop()
