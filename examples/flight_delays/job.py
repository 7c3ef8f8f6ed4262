"""How late do airlines arrive, and on which routes? A Spark job over the flights that left New York in 2013.

Reads `flights.csv`, `airlines.csv` and `airports.csv` from `--input` and writes below `--output`, on any file system Spark knows:

- `delay_by_carrier_month/` (Parquet): one row per airline and month,
- `worst_routes/` (Parquet): routes by mean arrival delay, worst first, among those flown often enough to mean something,
- `summary/` (one line of JSON): the tables that a person wants to see first, for whoever started the job.

A cancelled or diverted flight has no arrival delay: it counts as flown by nobody, so both counts are given. The job refuses to
report on half the data: `--expected-rows` must match. Nothing larger than the printed tables reaches the driver.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 (Spark's own convention)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame

FLIGHTS = """
    year INT, month INT, day INT, dep_time INT, sched_dep_time INT, dep_delay INT, arr_time INT, sched_arr_time INT,
    arr_delay INT, carrier STRING, flight INT, tailnum STRING, origin STRING, dest STRING, air_time INT, distance INT,
    hour INT, minute INT, time_hour TIMESTAMP
"""
AIRLINES = "carrier STRING, name STRING"
AIRPORTS = "faa STRING, name STRING, lat DOUBLE, lon DOUBLE, alt INT, tz INT, dst STRING, tzone STRING"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LATE_MINUTES = 15
"""From here on a flight counts as late: the threshold of the US Department of Transportation."""


class WrongInputError(Exception):
    """The input is not the data set that the caller said it is."""


def read_csv(spark: SparkSession, path: str, schema: str) -> DataFrame:
    """A CSV table with a header; `NA` is the source's word for "missing", a malformed row fails the job."""
    reader = spark.read.option("header", "true").option("nullValue", "NA")
    # enforceSchema=false compares the header with our columns, so that a reordered file cannot be read as something else
    return reader.option("mode", "FAILFAST").option("enforceSchema", "false").schema(schema).csv(path)


def delay_by_carrier_month(flights: DataFrame, airlines: DataFrame) -> DataFrame:
    """One row per airline and month: flights, arrivals, mean and 90th percentile of the arrival delay (minutes), share of late ones."""
    delay = F.col("arr_delay")
    totals = flights.groupBy("carrier", "month").agg(
        F.count("*").alias("flights"),
        F.count(delay).alias("arrived"),
        F.round(F.avg(delay), 2).alias("mean_arrival_delay"),
        F.percentile_approx(delay, 0.9, 10_000).alias("p90_arrival_delay"),
        F.round(F.avg((delay >= LATE_MINUTES).cast("int")), 4).alias("late_share"),
    )
    named = totals.join(F.broadcast(airlines.withColumnRenamed("name", "airline")), "carrier", "left")
    columns = (
        "carrier",
        "airline",
        "month",
        "flights",
        "arrived",
        "mean_arrival_delay",
        "p90_arrival_delay",
        "late_share",
    )
    return named.select(*columns).orderBy("carrier", "month")


def worst_routes(flights: DataFrame, airports: DataFrame, minimum_flights: int, limit: int) -> DataFrame:
    """The `limit` routes with the highest mean arrival delay among those with at least `minimum_flights` arrivals."""
    delay = F.col("arr_delay")
    routes = (
        flights.groupBy("origin", "dest")
        .agg(
            F.count(delay).alias("arrived"),
            F.round(F.avg(delay), 2).alias("mean_arrival_delay"),
            F.percentile_approx(delay, 0.9, 10_000).alias("p90_arrival_delay"),
        )
        .where(F.col("arrived") >= minimum_flights)
        .orderBy(F.desc("mean_arrival_delay"), "origin", "dest")
        .limit(limit)
    )
    for end in ("origin", "dest"):
        # left: four Caribbean airports (BQN, PSE, SJU, STT) are flown to but not listed
        names = airports.select(F.col("faa").alias(end), F.col("name").alias(f"{end}_airport"))
        routes = routes.join(F.broadcast(names), end, "left")
    columns = ("origin", "origin_airport", "dest", "dest_airport", "arrived", "mean_arrival_delay", "p90_arrival_delay")
    return routes.select(*columns).orderBy(F.desc("mean_arrival_delay"), "origin", "dest")


def months_as_columns(delays: DataFrame) -> DataFrame:
    """Mean arrival delay with one row per airline and one column per month, for reading."""
    month = F.element_at(F.array(*map(F.lit, MONTHS)), F.col("month"))
    mean = F.round(F.first("mean_arrival_delay"), 1)
    named = delays.withColumn("month", month).withColumn("airline", F.coalesce("airline", "carrier"))
    return named.groupBy("airline").pivot("month", list(MONTHS)).agg(mean).orderBy("airline")


def save(table: DataFrame, path: str) -> DataFrame:
    """Writes a small result as one file, so that its order survives, and answers with what was written."""
    table.coalesce(1).write.mode("overwrite").parquet(path)
    return table.sparkSession.read.parquet(path)


def described(name: str, title: str, table: DataFrame, limit: int) -> dict[str, Any]:
    """At most `limit` rows of a table as plain data: `{name, title, columns: [{name, type}], rows: [[value]], total_rows}`."""
    columns = [{"name": column, "type": kind} for column, kind in table.dtypes]
    rows = [list(row) for row in table.limit(limit).collect()]
    return {"name": name, "title": title, "columns": columns, "rows": rows, "total_rows": table.count()}


def run(spark: SparkSession, options: argparse.Namespace) -> dict[str, Any]:
    """The whole job; returns the summary document, raises `WrongInputError` when the rows are not those expected."""
    flights = read_csv(spark, f"{options.input}/flights.csv", FLIGHTS)
    # three passes read it: parsing 31 MB of text once is cheaper than the memory of these six columns
    flights = flights.select("month", "carrier", "origin", "dest", "arr_delay").cache()
    rows = flights.count()
    if options.expected_rows is not None and rows != options.expected_rows:
        message = f"flights.csv must hold {options.expected_rows} rows, got {rows}; give the whole file or another --expected-rows"
        raise WrongInputError(message)
    airlines = read_csv(spark, f"{options.input}/airlines.csv", AIRLINES)
    airports = read_csv(spark, f"{options.input}/airports.csv", AIRPORTS)

    delays = save(delay_by_carrier_month(flights, airlines), f"{options.output}/delay_by_carrier_month")
    routes = worst_routes(flights, airports, options.minimum_flights, options.routes)
    routes = save(routes, f"{options.output}/worst_routes")
    flights.unpersist()

    by_month = months_as_columns(delays)
    by_month.show(100, truncate=False)
    routes.show(options.routes, truncate=False)
    return {
        "facts": {"flights": rows, "airlines": by_month.count()},
        "tables": [
            described("delay_by_month", "Mean arrival delay in minutes, by airline and month of 2013", by_month, 100),
            described(
                "worst_routes",
                f"Worst mean arrival delay in minutes among routes with at least {options.minimum_flights} arrivals",
                routes,
                options.routes,
            ),
        ],
    }


def write_summary(spark: SparkSession, summary: dict[str, Any], path: str) -> None:
    """One line of JSON through Spark's own writer: it works on every file system and is committed like any result."""
    text = json.dumps(summary, default=str)  # dates and decimals as text
    spark.range(1).select(F.lit(text).alias("value")).coalesce(1).write.mode("overwrite").text(path)


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Arrival delays per airline and month, and the worst routes.")
    parser.add_argument("--input", required=True, help="folder of flights.csv, airlines.csv, airports.csv")
    parser.add_argument("--output", required=True, help="folder for the results; what is there is replaced")
    parser.add_argument("--minimum-flights", type=int, default=200, help="arrivals a route needs to be ranked")
    parser.add_argument("--routes", type=int, default=10, help="how many of the worst routes to report")
    parser.add_argument("--expected-rows", type=int, help="fail unless flights.csv has exactly so many rows")
    options = parser.parse_args(argv)
    if options.minimum_flights < 1 or options.routes < 1:
        parser.error("--minimum-flights and --routes must be at least 1")
    return options


def main() -> None:
    options = parse()
    spark = SparkSession.builder.getOrCreate()  # name, master and memory are the submission's business
    try:
        write_summary(spark, run(spark, options), f"{options.output}/summary")
    finally:
        spark.stop()


if __name__ == "__main__":
    main()
