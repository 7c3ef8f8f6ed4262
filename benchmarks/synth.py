"""How long an engineer waits for a synth of one environment, measured against a bare CDK script on the same machine.

Each run is a new process without template validation (`CDK_VALIDATION=false`), started as the CDK's command line starts
it in the edit loop (`./cdk synth -c env=dev`). The two take turns after one run of each that fills caches and is not
counted; their medians are compared. Exits 1 when ours takes more than 1.5 times as long.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from infra import name_node

ROOT = Path(__file__).parents[1]
LIMIT = 1.5
"""Most that our synth may cost, in yardsticks."""


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Return the wall time of a command; a failure ends the benchmark with the command's own words."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return time.perf_counter() - started


def surroundings() -> dict[str, str]:
    """Return the environment of both scripts: the same Node, no validation, compiled modules kept as usual."""
    name_node()
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {
        **kept,
        "CDK_VALIDATION": "false",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}",
    }


def main() -> int:
    """Measure and print: both medians and their ratio."""
    parser = argparse.ArgumentParser(description="Synth of one environment against a bare CDK script.")
    parser.add_argument("--env", default="dev", help="environment to synthesise (default: dev)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, the median counts (default: 3)")
    options = parser.parse_args()
    base = surroundings()
    ours: list[float] = []
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        command = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["app"].split()
        context = json.dumps({"env": options.env})
        environment = {**base, "CDK_CONTEXT_JSON": context, "CDK_OUTDIR": f"{folder}/ours"}
        for _ in range(options.runs + 1):
            bare.append(seconds(["python", "benchmarks/yardstick_app.py", f"{folder}/bare"], base))
            ours.append(seconds(command, environment))
    del bare[0], ours[0]
    text, code = verdict(options.env, ours, bare)
    print(text)
    return code


def verdict(env: str, ours: list[float], bare: list[float]) -> tuple[str, int]:
    """Return what to print and the exit code: the medians in seconds and whether their ratio is within the limit."""
    ratio = statistics.median(ours) / statistics.median(bare)
    lines = [
        f"bare script (one VPC, one EKS cluster, six node groups)  {statistics.median(bare):6.2f} s",
        f"environment {env:<45}{statistics.median(ours):6.2f} s",
        f"ratio {ratio:.2f}, at most {LIMIT}",
    ]
    return "\n".join(lines), 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
