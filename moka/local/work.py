"""What `moka local` submits: the two examples with the data they need, or submissions of your own.

The examples' submissions say nothing of places; here they get this machine's. A file that cannot be read is refused before
anything is started.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archer.cli.submission import completed, read_submission
from archer.client_errors import ClientError, Json
from moka.errors import BadInputError
from moka.synth import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_EXAMPLES = ROOT / "examples"
_SCALE_FACTOR = "0.1"
"""Of TPC-H: 866,602 rows, 32 MB of Parquet; two seconds to make, half a minute to query."""
_FLIGHTS = 336_776
"""Rows of the package's file; the job fails on any other number."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """One job to submit."""

    name: str
    submission: Json
    dataset: Sequence[str] | None = None
    """Command that makes its input; None when it needs none."""
    results: Path | None = None
    """Folder whose `summary/` it writes; None when nobody knows what it writes."""


def examples(data: Path) -> list[Work]:
    """The two examples, with input and results below `data`."""
    flights, tpch = data / "datasets" / "flights", data / "datasets" / f"tpch-{_SCALE_FACTOR}"
    flight_results, tpch_results = data / "results" / "flight-delays", data / "results" / "tpch"
    maker = (sys.executable, str(_EXAMPLES / "datasets.py"))
    return [
        Work(
            name="flight-delays",
            submission=_submission(
                _EXAMPLES / "flight_delays" / "submission.yaml",
                *("--input", str(flights), "--output", str(flight_results), "--expected-rows", str(_FLIGHTS)),
            ),
            dataset=(*maker, "flights", "--output", str(flights)),
            results=flight_results,
        ),
        Work(
            name="tpch",
            submission=_submission(
                _EXAMPLES / "tpch" / "submission.yaml",
                *("--input", str(tpch), "--scale-factor", _SCALE_FACTOR, "--output", str(tpch_results)),
                *("--queries", str(_EXAMPLES / "tpch" / "queries")),
            ),
            dataset=(*maker, "tpch", "--scale-factor", _SCALE_FACTOR, "--output", str(tpch)),
            results=tpch_results,
        ),
    ]


def from_files(files: Sequence[Path]) -> list[Work]:
    """The submissions in JSON or YAML files. Raises BadInputError for one that cannot be read; Archer judges the rest."""
    works: list[Work] = []
    for file in files:
        submission = _submission(file)
        name = str(submission.get("name", file.stem))
        taken = {work.name for work in works}
        works.append(Work(name=name if name not in taken else f"{name}-{len(works) + 1}", submission=submission))
    return works


def _submission(file: Path, *arguments: str) -> Json:
    try:
        submission = completed(read_submission(str(file), sys.stdin))
    except ClientError as error:
        # the reader speaks of `archer submit`'s option
        raise BadInputError(str(error).replace("`--from`", "`--submit`")) from error
    if arguments:
        submission["application"] = {**submission["application"], "arguments": list(arguments)}
    return submission
