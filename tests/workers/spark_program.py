"""A program of Spark whose work is carried; its argument is the root."""

from __future__ import annotations

import os
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import udf
from pyspark.sql.types import LongType

import checkpoints as cp
from tests.workers import work

os.environ["PYSPARK_PYTHON"] = sys.executable
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.host", "127.0.0.1")
    .getOrCreate()
)
with cp.config("work", sys.argv[1], if_exists="keep"):
    with cp.tags(by="rdd"):
        spark.sparkContext.parallelize(range(4), 2).map(cp.carry(work.square)).collect()
    table = spark.range(4)
    with cp.tags(by="udf"):
        square = udf(cp.carry(work.square_alone), LongType())
        table.select(square("id")).collect()
    with cp.tags(by="frames"):
        table.mapInPandas(cp.carry(work.frames), "id long").collect()
spark.stop()
