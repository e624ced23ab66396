"""A tree of Parquet files, read directly by other tools, with tags as columns."""

from __future__ import annotations

import duckdb
import polars
import pytest

from checkpoints import FileHandler, index, tags

ROWS = [("a/B", None, 3), ("inner", 2, 2), ("north", 1, 1)]


@pytest.fixture
def found(tmp_path):
    """Tables whose tags are uneven: one lacks a tag, one has a tag twice."""
    handler = FileHandler(tmp_path, format="parquet")
    for sold, pairs in enumerate(
        (
            [("shop", "north"), ("day", 1)],
            [("shop", "outer"), ("day", 2), ("shop", "inner")],
            [("shop", "a/B")],
        ),
        start=1,
    ):
        with tags(*pairs):
            handler.checkpoint("sales", polars.DataFrame({"sold": [sold]}))
    handler.checkpoint("other", polars.DataFrame({"no": ["sales"]}))
    return index(tmp_path).where("sales")


@pytest.fixture
def paths(found):
    return [entry.path for entry in found]


class TestInPlace:
    def test_duckdb_joins_the_files_with_the_index(self, found, paths):
        typed = found.to_arrow(details=True)
        query = """
            select shop, day, sold
            from read_parquet($paths, filename='path', hive_partitioning=false)
            join {} using (path) order by shop
        """
        rows = duckdb.execute(query.format("typed"), {"paths": paths}).fetchall()
        assert rows == ROWS
        rows = duckdb.execute(query.format("found"), {"paths": paths}).fetchall()
        assert rows == [(shop, day and str(day), sold) for shop, day, sold in ROWS]
        assert typed.num_rows == len(rows)

    def test_polars_joins_the_files_with_the_index(self, found, paths):
        files = polars.scan_parquet(
            paths, include_file_paths="path", hive_partitioning=False
        )
        typed = polars.from_arrow(found.to_arrow(details=True)).lazy()
        joined = files.join(typed, on="path").select("shop", "day", "sold")
        assert joined.sort("shop").collect().rows() == ROWS

    def test_polars_and_duckdb_read_a_tree_of_even_tags_as_it_stands(self, tmp_path):
        root = tmp_path / "even"
        for shop in ("a/B", "north"):
            with tags(shop=shop):
                frame = polars.DataFrame({"sold": [1]})
                FileHandler(root, format="parquet").checkpoint("sales", frame)
        files = f"{root}/**/sales.ckpt.parquet"
        frame = polars.read_parquet(files, hive_partitioning=True)
        rows = duckdb.sql(f"from read_parquet('{files}', hive_partitioning=true)")
        for found in (frame.rows(), rows.fetchall()):
            assert sorted(found) == [(1, "a/B"), (1, "north")]
