"""TPC-H in Spark SQL: runs the queries of a folder on Parquet tables and writes each answer as Parquet.

`--input` holds `TABLE.parquet` for the eight tables, `--queries` holds `qNN.sql` (first line: `-- title`); both are read through
Spark, so `s3a://` works as a local folder does. Below `--output`:

- `qNN/` (Parquet): the answer, in one file so that its order survives,
- `summary/` (one line of JSON): duration per query and the first rows of the answers named by `--show`.

The tables' schema comes from their Parquet footers on purpose: a schema given by the reader would turn a missing column into
NULLs. That the data is what the caller says is checked by row counts. These are the queries of TPC-H, not an audited TPC-H result.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 (Spark's own convention)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame

ROWS_PER_SCALE = {"supplier": 10_000, "customer": 150_000, "part": 200_000, "partsupp": 800_000, "orders": 1_500_000}
"""Rows at scale factor 1 (TPC-H specification 4.2.5); lineitem's count is random, nation and region are fixed."""
TABLES = (*ROWS_PER_SCALE, "lineitem", "nation", "region")


class WrongInputError(Exception):
    """The tables or queries are not what the caller said they are."""


def register_tables(spark: SparkSession, folder: str, scale_factor: Decimal) -> dict[str, int]:
    """Makes the eight tables views; returns their row counts, raises `WrongInputError` when one does not fit the scale."""
    rows: dict[str, int] = {}
    for table in TABLES:
        frame = spark.read.parquet(f"{folder}/{table}.parquet")
        frame.createOrReplaceTempView(table)
        rows[table] = frame.count()  # from the footers, no data is read
    problems = [
        f"{table} must have {int(expected * scale_factor)} rows at scale factor {scale_factor}, got {rows[table]}"
        for table, expected in ROWS_PER_SCALE.items()
        if rows[table] != int(expected * scale_factor)
    ]
    if problems:
        raise WrongInputError("; ".join(problems) + "; make the data again or correct --scale-factor")
    return rows


def read_queries(spark: SparkSession, folder: str, only: Sequence[int]) -> dict[int, str]:
    """The SQL texts by number, in order; `only` narrows them. Raises `WrongInputError` for a number without a file."""
    files = spark.read.text(f"{folder}/q*.sql", wholetext=True).select(F.input_file_name(), "value").collect()
    found = {int(match[1]): row[1] for row in files if (match := re.search(r"/q(\d+)\.sql$", row[0]))}
    missing = sorted(set(only) - set(found))
    if missing:
        message = f"no file for query {', '.join(map(str, missing))} in {folder}; it has {sorted(found)}"
        raise WrongInputError(message)
    return {number: found[number] for number in sorted(only or found)}


def title_of(sql: str, number: int) -> str:
    first = sql.lstrip().splitlines()[0]
    return first.removeprefix("--").strip() if first.startswith("--") else f"Q{number}"


def answer(spark: SparkSession, sql: str, fraction: Decimal, path: str) -> tuple[DataFrame, float]:
    """Runs one query, writes its answer to `path`; returns what was written and the seconds from parsing to commit."""
    started = time.monotonic()
    # `:fraction` is the one parameter that the specification ties to the scale factor (query 11)
    result = spark.sql(sql, args={"fraction": fraction} if ":fraction" in sql else None)
    result.coalesce(1).write.mode("overwrite").parquet(path)
    return spark.read.parquet(path), time.monotonic() - started


def described(name: str, title: str, table: DataFrame, limit: int) -> dict[str, Any]:
    """At most `limit` rows of a table as plain data: `{name, title, columns: [{name, type}], rows: [[value]], total_rows}`."""
    columns = [{"name": column, "type": kind} for column, kind in table.dtypes]
    rows = [list(row) for row in table.limit(limit).collect()]
    return {"name": name, "title": title, "columns": columns, "rows": rows, "total_rows": table.count()}


def run(spark: SparkSession, options: argparse.Namespace) -> dict[str, Any]:
    """All queries, one after the other so that a duration is the query's own; returns the summary document."""
    counts = register_tables(spark, options.input, options.scale_factor)
    queries = read_queries(spark, options.queries, options.only)
    fraction = Decimal("0.0001") / options.scale_factor
    durations: list[list[Any]] = []
    shown: list[dict[str, Any]] = []
    for number, sql in queries.items():
        title = title_of(sql, number)
        table, seconds = answer(spark, sql, fraction, f"{options.output}/q{number:02d}")
        durations.append([title, table.count(), round(seconds, 2)])
        print(f"{title}: {durations[-1][1]} rows in {seconds:.2f} s", flush=True)
        if number in options.show:
            table.show(options.show_rows, truncate=False)
            shown.append(described(f"q{number:02d}", title, table, options.show_rows))
    columns = [
        {"name": "query", "type": "string"},
        {"name": "rows", "type": "bigint"},
        {"name": "seconds", "type": "double"},
    ]
    timing = {"name": "durations", "title": "Seconds per query", "columns": columns, "rows": durations}
    return {
        "facts": {
            "scale factor": str(options.scale_factor),
            "rows read": sum(counts.values()),
            "queries": len(queries),
        },
        "tables": [*shown, {**timing, "total_rows": len(durations)}],
    }


def write_summary(spark: SparkSession, summary: dict[str, Any], path: str) -> None:
    """One line of JSON through Spark's own writer: it works on every file system and is committed like any result."""
    text = json.dumps(summary, default=str)  # dates and decimals as text
    spark.range(1).select(F.lit(text).alias("value")).coalesce(1).write.mode("overwrite").text(path)


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",") if part]
    except ValueError:
        message = f"must be numbers separated by commas, got {text!r}"
        raise argparse.ArgumentTypeError(message) from None


def _scale_factor(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(0)
    if not value.is_finite() or value <= 0:
        message = f"must be a number above 0, got {text!r}"
        raise argparse.ArgumentTypeError(message)
    return value


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs TPC-H queries on Parquet tables.")
    parser.add_argument("--input", required=True, help="folder of the eight TABLE.parquet")
    parser.add_argument("--queries", required=True, help="folder of qNN.sql")
    parser.add_argument("--output", required=True, help="folder for the answers; what is there is replaced")
    parser.add_argument("--scale-factor", type=_scale_factor, default=Decimal("0.1"), help="of the data in --input")
    parser.add_argument(
        "--only", type=_numbers, default=[], metavar="N,N", help="these queries instead of all in the folder"
    )
    parser.add_argument(
        "--show", type=_numbers, default=[1, 3, 5, 6, 10, 18], metavar="N,N", help="answers to put in the summary"
    )
    parser.add_argument("--show-rows", type=int, default=5, help="rows of each")
    return parser.parse_args(argv)


def main() -> None:
    options = parse()
    spark = SparkSession.builder.getOrCreate()  # name, master and memory are the submission's business
    try:
        write_summary(spark, run(spark, options), f"{options.output}/summary")
    finally:
        spark.stop()


if __name__ == "__main__":
    main()
