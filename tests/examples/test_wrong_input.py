"""The jobs refuse to report on data that is not what the caller said, and Archer's diagnosis repeats their words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

EXAMPLES = Path(__file__).parents[2] / "examples"
ARCHER = str(Path(sys.executable).with_name("archer"))


def test_wrong_number_of_rows_fails_both_jobs_before_they_write_anything(
    tmp_path: Path, archer_server: Callable[[Path], AbstractContextManager[str]]
) -> None:
    for arguments in (["flights"], ["tpch", "--scale-factor", "0.001"]):
        command = [sys.executable, str(EXAMPLES / "datasets.py"), *arguments, "--output", str(tmp_path / arguments[0])]
        subprocess.run(command, check=True, capture_output=True)

    with archer_server(tmp_path / "archer") as url:

        def archer(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
            environment = {**os.environ, "ARCHER_URL": url}
            command = [ARCHER, *map(str, arguments)]
            return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=180)

        def submit(example: str, data: str, *more: str | Path) -> str:
            places: list[str | Path] = ["--input", tmp_path / data, "--output", tmp_path / "out" / data]
            said = archer("submit", "--from", EXAMPLES / example / "submission.yaml", "--", *places, *more)
            assert said.returncode == 0, said.stderr
            return said.stdout.split()[-1]

        flights = submit("flight_delays", "flights", "--expected-rows", "336777")
        tpch = submit("tpch", "tpch", "--scale-factor", "0.002", "--queries", EXAMPLES / "tpch" / "queries")
        ended = archer("wait", flights, tpch, "--output", "json")

    assert ended.returncode == 1
    first, second = json.loads(ended.stdout)
    assert (first["state"], first["diagnosis"]["category"]) == ("FAILED", "user-error")
    assert (
        "flights.csv must hold 336777 rows, got 336776" in first["diagnosis"]["summary"] + first["diagnosis"]["detail"]
    )
    assert (second["state"], second["diagnosis"]["category"]) == ("FAILED", "user-error")
    told = second["diagnosis"]["summary"] + second["diagnosis"]["detail"]
    assert "supplier must have 20 rows at scale factor 0.002, got 10" in told
    assert not (tmp_path / "out").exists()
