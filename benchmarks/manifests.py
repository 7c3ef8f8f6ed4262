"""How fast a full set of manifests is applied, measured against `kubectl apply --server-side` of the same files.

Two control planes are started: one gets the set from kubectl, the other from the code that the deploy's function runs (its checks and its
memory of the set included; neither waits for rollouts). Both in a process of their own, in turns: once onto an empty cluster, then
again and again onto one that has it all. Exits 1 when ours takes more than the limit, in several looks. Needs the testbed.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from environments import load
from k8s_manifests.rendered import rendered_components
from moka_constructs.manifest_set.handler import bundle
from moka_constructs.manifest_set.handler.order import ManifestFile
from testbed.control_plane import ControlPlane

LIMIT = 1.2
"""Most that an apply may take, in kubectl's."""
LOOKS = 4
"""How often it is measured before a ratio over the limit counts: two cores are easily disturbed."""
APPLY = """
import sys
from pathlib import Path
from moka.delivery.kubeconfig import read_server
from moka_constructs.manifest_set.handler import bundle
from moka_constructs.manifest_set.handler.client import Client
from moka_constructs.manifest_set.handler.deadline import Deadline
from moka_constructs.manifest_set.handler.run import Delivery, Options
kubeconfig, file, scratch = map(Path, sys.argv[1:])
client = Client(server=read_server(kubeconfig, None, scratch), deadline=Deadline(600))
options = Options(set_name="platform", owner="benchmark", wait=False)
Delivery(client=client, options=options, say=lambda _: None).apply(bundle.read(file.read_bytes()))
"""


class Measured(NamedTuple):
    """Seconds of one look."""

    kubectl_new: float
    """kubectl, onto an empty cluster."""
    ours_new: float
    kubectl_again: list[float]
    """kubectl, onto a cluster that has it all."""
    ours_again: list[float]


def seconds(command: list[str]) -> float:
    """Return the wall time of a command; a failure ends the benchmark with the command's own words."""
    surroundings = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
    started = time.perf_counter()
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)[:300]} ended with {done.returncode}:\n{done.stderr}")
    return time.perf_counter() - started


def measured(texts: dict[str, str], content: bytes, runs: int) -> Measured:
    """Return the seconds of one look, of the set as YAML files by name and as a bundle."""
    with tempfile.TemporaryDirectory() as folder, ControlPlane() as theirs, ControlPlane() as own:
        files = Path(folder) / "files"
        files.mkdir()
        packed = Path(folder) / "bundle.zip"
        packed.write_bytes(content)
        for name, text in texts.items():
            (files / name).write_text(text, encoding="utf-8")
        kubectl = [
            *("kubectl", "--kubeconfig", str(theirs.kubeconfig), "--cache-dir", f"{folder}/cache"),
            *("apply", "--server-side", "-f", str(files)),
        ]
        kubectl[0] = str(theirs._kubectl)  # noqa: SLF001  # the program itself, as nothing of ours may stand in its way
        ours = [sys.executable, "-c", APPLY, str(own.kubeconfig), str(packed), folder]
        first = seconds(kubectl), seconds(ours)
        again = [(seconds(kubectl), seconds(ours)) for _ in range(runs)]
    return Measured(*first, [each[0] for each in again], [each[1] for each in again])


def verdict(objects: int, found: Measured) -> tuple[str, int]:
    """Return what to print and the exit code: objects per second and whether the ratios are within the limit."""
    lines, code = [], 0
    for what, kubectl, ours in (
        ("onto an empty cluster", found.kubectl_new, found.ours_new),
        ("again, nothing to change", statistics.median(found.kubectl_again), statistics.median(found.ours_again)),
    ):
        ratio = ours / kubectl
        code = code or int(ratio > LIMIT)
        lines.append(f"{objects} objects {what}")
        lines += [
            f"  {name:<30}{took:6.2f} s {objects / took:7.1f} objects/s"
            for name, took in (("kubectl apply --server-side", kubectl), ("ours", ours))
        ]
        lines.append(f"  ratio {ratio:.2f}, at most {LIMIT}")
    return "\n".join(lines), code


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Apply of a full set against kubectl apply --server-side.")
    parser.add_argument("--env", default="prod", help="environment (default: prod)")
    parser.add_argument("--cluster", help="cluster (default: the first)")
    parser.add_argument(
        "--runs", type=int, default=3, help="runs onto a cluster that has it, the median counts (default: 3)"
    )
    options = parser.parse_args()
    environment = load(options.env)
    cluster = environment.cluster(options.cluster or environment.clusters[0].name)
    components = [each for each in rendered_components(environment, cluster) if each.set_name == "platform"]
    texts = {each.file_name: each.text for each in components}
    files = [ManifestFile(name=each.file_name, manifests=each.manifests) for each in components]
    content = bundle.write(bundle.contents(files))
    objects = sum(len(each.manifests) for each in components)
    code = 1
    for look in range(1, LOOKS + 1):
        text, code = verdict(objects, measured(texts, content, options.runs))
        print(text)
        if code == 0:
            break
        if look < LOOKS:
            print("over the limit; measured again, because another process may have been at work")
    return code


if __name__ == "__main__":
    sys.exit(main())
