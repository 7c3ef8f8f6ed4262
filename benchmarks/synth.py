"""How long an engineer waits for a synth, measured against a bare CDK script on the same machine.

Each run is a new process without template validation (`CDK_VALIDATION=false`), started as the CDK's command line starts
it in the edit loop (`./cdk synth -c env=dev`, and `./cdk synth` for all environments in one process). They take turns after one
run of each that fills caches and is not counted; their medians are compared. Exits 1 when a limit is exceeded.

`cdk.json` starts ours with `python -O`, which drops jsii's run-time checks of arguments (mypy makes them before); the bare
script runs as people write one. So ours is started plainly as well, and that ratio is judged, too.

Rendered manifests are kept between runs, named by all that they are made from. So the environment is also measured after a
change of its file, when they are rendered anew.
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
from typing import NamedTuple

from environments import load
from infra import name_node

ROOT = Path(__file__).parents[1]
LIMIT = 1.5
"""Most that one whole environment (network, data, clusters, platform, Archer, alarms) may cost, in yardsticks, as cdk.json starts it
and started like the yardstick."""
CHANGED_LIMIT = 2.0
"""Most that it may cost, in yardsticks, when its manifests are rendered anew."""
ALL_LIMIT = 2.5
"""Most that all environments in one process may cost, in synths of one."""
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


def change(env: str, folder: Path) -> Path:
    """Write the file of the environment with a tag that no run has seen, so that nothing of it can have been kept."""
    environment = load(env)
    tags = {**environment.tags, "benchmark": str(time.time_ns())}
    file = folder / f"{environment.name}.yaml"
    # JSON is YAML
    file.write_text(environment.model_copy(update={"tags": tags}).model_dump_json(exclude_unset=True), encoding="utf-8")
    return file


def main() -> int:
    """Measure and print: medians and their ratios."""
    parser = argparse.ArgumentParser(description="Synth of one environment, and of all, against a bare CDK script.")
    parser.add_argument("--env", default="dev", help="environment to synthesise (default: dev)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, the median counts (default: 3)")
    options = parser.parse_args()
    base = surroundings()
    for look in range(1, LOOKS + 1):
        text, code = verdict(options.env, measured(options.env, options.runs, base))
        print(text)
        if code and look < LOOKS:
            print("over the limit; measured again, because another process may have been at work")
        elif code == 0:
            break
    return code


class Measured(NamedTuple):
    """Seconds of each run."""

    ours: list[float]
    """One environment, as cdk.json starts it."""
    bare: list[float]
    """The bare script."""
    plain: list[float]
    """One environment, started like the bare script."""
    changed: list[float]
    """One environment whose file was changed, as cdk.json starts it."""
    everything: list[float]
    """All environments, as cdk.json starts them."""


def measured(env: str, runs: int, base: dict[str, str]) -> Measured:
    """Return the seconds of `runs` runs of each."""
    found = Measured([], [], [], [], [])
    command = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["app"].split()
    with tempfile.TemporaryDirectory() as folder:
        one = {**base, "CDK_CONTEXT_JSON": json.dumps({"env": env}), "CDK_OUTDIR": f"{folder}/ours"}
        other = {**base, "CDK_OUTDIR": f"{folder}/changed"}
        every = {**base, "CDK_CONTEXT_JSON": "{}", "CDK_OUTDIR": f"{folder}/all"}
        for _ in range(runs + 1):
            found.bare.append(seconds(["python", "benchmarks/yardstick_app.py", f"{folder}/bare"], base))
            found.ours.append(seconds(command, one))
            found.plain.append(seconds([word for word in command if word != "-O"], one))
            other["CDK_CONTEXT_JSON"] = json.dumps({"env": str(change(env, Path(folder)))})
            found.changed.append(seconds(command, other))
            found.everything.append(seconds(command, every))
    return Measured(*(each[1:] for each in found))


def verdict(env: str, times: Measured) -> tuple[str, int]:
    """Return what to print and the exit code: the medians in seconds and whether their ratios are within the limits."""
    ours, bare, plain, changed, everything = (statistics.median(each) for each in times)
    ratios = [
        (ours / bare, LIMIT, f"{env} / bare script"),
        (plain / bare, LIMIT, f"{env} / bare script, both started without python -O"),
        (changed / bare, CHANGED_LIMIT, f"{env} / bare script, after a change of its file"),
        (everything / ours, ALL_LIMIT, f"all environments in one process / {env}"),
    ]
    lines = [
        f"bare script (one VPC, one EKS cluster, six node groups)  {bare:6.2f} s",
        f"environment {env:<45}{ours:6.2f} s",
        f"{'  without python -O':<57}{plain:6.2f} s",
        f"{'  after a change of its file':<57}{changed:6.2f} s",
        f"{'all environments':<57}{everything:6.2f} s",
        *(f"ratio {ratio:.2f}, at most {limit}: {what}" for ratio, limit, what in ratios),
    ]
    return "\n".join(lines), 0 if all(ratio <= limit for ratio, limit, _ in ratios) else 1


if __name__ == "__main__":
    sys.exit(main())
