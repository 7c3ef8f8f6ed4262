"""How long an engineer waits for a synth of one environment, measured against a bare CDK script on the same machine.

Each run is a new process without template validation (`CDK_VALIDATION=false`), started as the CDK's command line starts
it in the edit loop (`./cdk synth -c env=dev`). The two take turns after one run of each that fills caches and is not
counted; their medians are compared. Exits 1 when ours takes more than 1.5 times as long.

`cdk.json` starts ours with `python -O`, which drops jsii's run-time checks of arguments (mypy makes them before); the bare
script runs as people write one. So a second figure is printed and not judged: ours started plainly as well.
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
LOOKS = 3
"""How often the medians are taken before a ratio over the limit counts: two cores are easily disturbed."""


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
    for look in range(1, LOOKS + 1):
        text, code = verdict(options.env, *measured(options.env, options.runs, base))
        print(text)
        if code and look < LOOKS:
            print("over the limit; measured again, because another process may have been at work")
        elif code == 0:
            break
    return code


def measured(env: str, runs: int, base: dict[str, str]) -> tuple[list[float], list[float], list[float]]:
    """Return the seconds of `runs` runs: ours as the CDK starts it, the bare script, ours started plainly."""
    ours: list[float] = []
    bare: list[float] = []
    plain: list[float] = []
    command = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["app"].split()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**base, "CDK_CONTEXT_JSON": json.dumps({"env": env}), "CDK_OUTDIR": f"{folder}/ours"}
        for _ in range(runs + 1):
            bare.append(seconds(["python", "benchmarks/yardstick_app.py", f"{folder}/bare"], base))
            ours.append(seconds(command, environment))
            plain.append(seconds([word for word in command if word != "-O"], environment))
    return ours[1:], bare[1:], plain[1:]


def verdict(env: str, ours: list[float], bare: list[float], plain: list[float]) -> tuple[str, int]:
    """Return what to print and the exit code: the medians in seconds and whether their ratio is within the limit."""
    ratio = statistics.median(ours) / statistics.median(bare)
    plain_ratio = statistics.median(plain) / statistics.median(bare)
    lines = [
        f"bare script (one VPC, one EKS cluster, six node groups)  {statistics.median(bare):6.2f} s",
        f"environment {env:<45}{statistics.median(ours):6.2f} s",
        f"ratio {ratio:.2f}, at most {LIMIT}",
        f"started without python -O: {statistics.median(plain):.2f} s, ratio {plain_ratio:.2f} (told, not judged)",
    ]
    return "\n".join(lines), 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
