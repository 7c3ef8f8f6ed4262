"""TPC-H answers from Spark against SQLite on the same rows, and six of them against plain Python in exact decimals."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

QUERIES = range(1, 23)
INDEXES = {
    "lineitem": ("l_orderkey", "l_partkey"),
    "orders": ("o_orderkey", "o_custkey"),
    "partsupp": ("ps_partkey",),
    "part": ("p_partkey",),
    "supplier": ("s_suppkey",),
    "customer": ("c_custkey",),
}


@pytest.fixture(scope="module")
def checkout(readme_run: Callable[[str], Path]) -> Path:
    return readme_run("tpch")


@pytest.fixture(scope="module")
def tables(checkout: Path) -> dict[str, list[dict[str, Any]]]:
    folder = checkout / ".moka" / "data" / "tpch-0.01"
    return {file.stem: pq.read_table(file).to_pylist() for file in sorted(folder.glob("*.parquet"))}


def answer(checkout: Path, number: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(checkout / ".moka" / "results" / "tpch" / f"q{number:02d}").to_pylist()
    return rows


@pytest.fixture(scope="module")
def sqlite(tables: dict[str, list[dict[str, Any]]]) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("pragma case_sensitive_like = on")
    for table, rows in tables.items():
        names = list(rows[0])
        connection.execute(f"create table {table} ({', '.join(names)})")
        values = [[plain(value) for value in row.values()] for row in rows]
        connection.executemany(f"insert into {table} values ({', '.join('?' * len(names))})", values)
        for column in INDEXES.get(table, ()):
            connection.execute(f"create index {column} on {table} ({column})")
    yield connection
    connection.close()


def plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


def in_sqlite(sql: str) -> str:
    """The same query in SQLite's dialect: dates are text, years are cut out of it."""

    def moved(match: re.Match[str]) -> str:
        day, sign, amount, unit = match.groups()
        return f"date('{day}', '{sign}{amount} {unit}')"

    sql = re.sub(r"date '([\d-]+)' ([+-]) interval '(\d+)' (day|month|year)", moved, sql)
    sql = re.sub(r"date ('[\d-]+')", r"\1", sql)
    sql = re.sub(r"extract\(year from (\w+)\)", r"cast(strftime('%Y', \1) as integer)", sql)
    return sql.replace("substring(", "substr(")


@pytest.mark.parametrize("number", QUERIES)
def test_answer_equals_that_of_another_engine(checkout: Path, sqlite: sqlite3.Connection, number: int) -> None:
    sql = (checkout / "examples" / "tpch" / "queries" / f"q{number:02d}.sql").read_text()
    parameters = {"fraction": 0.0001 / 0.01} if ":fraction" in sql else {}

    expected = sqlite.execute(in_sqlite(sql), parameters).fetchall()
    got = answer(checkout, number)

    assert expected, "an empty answer proves nothing"
    assert len(got) == len(expected)
    for row, other in zip(got, expected, strict=True):
        for value, wanted in zip(map(plain, row.values()), other, strict=True):
            # decimals of Spark's averages and quotients end after six places
            assert value == (pytest.approx(wanted, rel=1e-9, abs=1e-6) if isinstance(wanted, float) else wanted)


def revenue(line: dict[str, Any]) -> Decimal:
    price: Decimal = line["l_extendedprice"] * (1 - line["l_discount"])
    return price


def by_key(rows: list[dict[str, Any]], key: str) -> dict[Any, dict[str, Any]]:
    return {row[key]: row for row in rows}


def test_pricing_summary_is_exact(checkout: Path, tables: dict[str, list[dict[str, Any]]]) -> None:
    groups = defaultdict(list)
    for line in tables["lineitem"]:
        if line["l_shipdate"] <= date(1998, 9, 2):
            groups[line["l_returnflag"], line["l_linestatus"]].append(line)
    expected = [
        (
            *key,
            sum(line["l_quantity"] for line in lines),
            sum(line["l_extendedprice"] for line in lines),
            sum(map(revenue, lines)),
            sum(revenue(line) * (1 + line["l_tax"]) for line in lines),
            len(lines),
        )
        for key, lines in sorted(groups.items())
    ]

    got = [tuple(row.values()) for row in answer(checkout, 1)]

    assert [(*row[:6], row[9]) for row in got] == expected
    assert [row[6] for row in got] == [pytest.approx(row[2] / row[6], abs=Decimal("0.000001")) for row in expected]


def test_unshipped_orders_of_highest_value_are_exact(checkout: Path, tables: dict[str, list[dict[str, Any]]]) -> None:
    builders = {row["c_custkey"] for row in tables["customer"] if row["c_mktsegment"] == "BUILDING"}
    day = date(1995, 3, 15)
    orders = by_key(
        [row for row in tables["orders"] if row["o_custkey"] in builders and row["o_orderdate"] < day], "o_orderkey"
    )
    totals: dict[int, Decimal] = defaultdict(Decimal)
    for line in tables["lineitem"]:
        if line["l_orderkey"] in orders and line["l_shipdate"] > day:
            totals[line["l_orderkey"]] += revenue(line)
    ranked = sorted(totals.items(), key=lambda item: (-item[1], orders[item[0]]["o_orderdate"]))[:10]

    got = [(row["l_orderkey"], row["revenue"], row["o_orderdate"]) for row in answer(checkout, 3)]

    assert got == [(key, total, orders[key]["o_orderdate"]) for key, total in ranked]


def test_local_supplier_volume_is_exact(checkout: Path, tables: dict[str, list[dict[str, Any]]]) -> None:
    (asia,) = [row["r_regionkey"] for row in tables["region"] if row["r_name"] == "ASIA"]
    nations = {row["n_nationkey"]: row["n_name"] for row in tables["nation"] if row["n_regionkey"] == asia}
    customers = {row["c_custkey"]: row["c_nationkey"] for row in tables["customer"]}
    suppliers = {row["s_suppkey"]: row["s_nationkey"] for row in tables["supplier"]}
    orders = {row["o_orderkey"]: row["o_custkey"] for row in tables["orders"] if row["o_orderdate"].year == 1994}
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for line in tables["lineitem"]:
        nation = suppliers[line["l_suppkey"]]
        if line["l_orderkey"] in orders and nation in nations and customers[orders[line["l_orderkey"]]] == nation:
            totals[nations[nation]] += revenue(line)

    got = [(row["n_name"], row["revenue"]) for row in answer(checkout, 5)]

    assert got == sorted(totals.items(), key=lambda item: -item[1])


def test_revenue_change_is_exact(checkout: Path, tables: dict[str, list[dict[str, Any]]]) -> None:
    expected = sum(
        line["l_extendedprice"] * line["l_discount"]
        for line in tables["lineitem"]
        if line["l_shipdate"].year == 1994
        and Decimal("0.05") <= line["l_discount"] <= Decimal("0.07")
        and line["l_quantity"] < 24
    )

    assert answer(checkout, 6) == [{"revenue": expected}]


def test_customers_who_returned_most_are_exact(checkout: Path, tables: dict[str, list[dict[str, Any]]]) -> None:
    first, end = date(1993, 10, 1), date(1994, 1, 1)
    orders = {row["o_orderkey"]: row["o_custkey"] for row in tables["orders"] if first <= row["o_orderdate"] < end}
    totals: dict[int, Decimal] = defaultdict(Decimal)
    for line in tables["lineitem"]:
        if line["l_orderkey"] in orders and line["l_returnflag"] == "R":
            totals[orders[line["l_orderkey"]]] += revenue(line)
    customers = by_key(tables["customer"], "c_custkey")
    nations = by_key(tables["nation"], "n_nationkey")
    ranked = sorted(totals.items(), key=lambda item: -item[1])[:20]

    got = [(row["c_custkey"], row["c_name"], row["revenue"], row["n_name"]) for row in answer(checkout, 10)]

    assert got == [
        (key, customers[key]["c_name"], total, nations[customers[key]["c_nationkey"]]["n_name"])
        for key, total in ranked
    ]


def test_large_orders_are_exact(checkout: Path, tables: dict[str, list[dict[str, Any]]]) -> None:
    quantities: dict[int, Decimal] = defaultdict(Decimal)
    for line in tables["lineitem"]:
        quantities[line["l_orderkey"]] += line["l_quantity"]
    orders = [row for row in tables["orders"] if quantities[row["o_orderkey"]] > 300]
    orders.sort(key=lambda row: (-row["o_totalprice"], row["o_orderdate"]))

    got = [(row["o_orderkey"], row["c_custkey"], row["o_totalprice"], row["sum_qty"]) for row in answer(checkout, 18)]

    assert got == [
        (row["o_orderkey"], row["o_custkey"], row["o_totalprice"], quantities[row["o_orderkey"]])
        for row in orders[:100]
    ]


def test_summary_shows_the_six_answers_and_a_duration_for_every_query(
    checkout: Path, read_summary: Callable[[Path], dict[str, Any]]
) -> None:
    summary = read_summary(checkout / ".moka" / "results" / "tpch")

    *shown, durations = summary["tables"]
    assert [table["name"] for table in shown] == ["q01", "q03", "q05", "q06", "q10", "q18"]
    assert [table["title"] for table in shown][3] == "Q6 Forecasting revenue change"
    for table in shown:
        rows = answer(checkout, int(table["name"][1:]))
        assert table["total_rows"] == len(rows)
        assert table["rows"] == [[as_text(value) for value in row.values()] for row in rows[:5]]
    assert [row[1] for row in durations["rows"]] == [len(answer(checkout, number)) for number in QUERIES]
    assert all(row[2] > 0 for row in durations["rows"])


def as_text(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal | date) else value
