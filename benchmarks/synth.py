"""How long an engineer waits for a synth of one environment, measured against a bare CDK script on the same machine.

Each run is a new process without template validation (`CDK_VALIDATION=false`), as `./cdk synth -c env=…` is in the edit
loop; the two scripts take turns, and the medians are compared. Exits 1 when ours takes more than 1.5 times as long.
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
    """Return the environment of both scripts: same Node, no validation."""
    node = subprocess.run(
        [sys.executable, "-c", "import infra, os; print(os.environ.get('JSII_NODE', 'node'))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    return {
        **os.environ,
        "CDK_VALIDATION": "false",
        "JSII_NODE": node,
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    }


def main() -> int:
    """Measure and print: both medians and their ratio."""
    parser = argparse.ArgumentParser(description="Synth of one environment against a bare CDK script.")
    parser.add_argument("--env", default="prod", help="environment to synthesise (default: prod, the largest)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, the median counts (default: 3)")
    options = parser.parse_args()
    base = surroundings()
    ours: list[float] = []
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        context = json.dumps({"env": options.env})
        environment = {**base, "CDK_CONTEXT_JSON": context, "CDK_OUTDIR": f"{folder}/ours"}
        for _ in range(options.runs):
            bare.append(seconds([sys.executable, "benchmarks/yardstick_app.py", f"{folder}/bare"], base))
            ours.append(seconds([sys.executable, "app.py"], environment))
    ratio = statistics.median(ours) / statistics.median(bare)
    print(f"bare script (one VPC, one EKS cluster, six node groups)  {statistics.median(bare):6.2f} s")
    print(f"environment {options.env:<45}{statistics.median(ours):6.2f} s")
    print(f"ratio {ratio:.2f}, at most {LIMIT}")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
