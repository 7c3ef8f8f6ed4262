"""Finished pods are collected at 5, drivers are deleted by hand around their end, the operator is away, nodes vanish.

Two clusters have the same load and the same faults at the same time. One keeps Archer's finalizer on its drivers; in the
other, an admission policy of this test takes it off, as if there were none. A witness reads every driver's exit code.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from testbed import archer_history as history
from testbed.archer_load import PACE, Clients, Order, new_key, scaled
from testbed.archer_rig import TEAMS, Rig, rig_environment, submission
from testbed.cluster_records import Witness
from testbed.components import Settings
from testbed.kubernetes import ApiError
from testbed.spark_applications import FINALIZER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from testbed.archer_rig import RigCluster
    from testbed.kubernetes import Manifest

KEPT, STRIPPED = "kept", "stripped"
ADMISSION: Final = "admissionregistration.k8s.io/v1beta1"
THRESHOLD: Final = 5
SECONDS: Final = 3
"""How long each driver runs."""
DELETED: Final = 0.4
"""Share of first drivers that somebody deletes."""


@dataclass
class Vandal:
    """Deletes some drivers by hand, at random moments around their end."""

    cluster: RigCluster
    chosen: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    """Drivers that were born with Archer's finalizer."""

    def __post_init__(self) -> None:
        self._admin = self.cluster.plane.client()

    def on_driver(self, kind: str, pod: Manifest) -> None:
        metadata = pod["metadata"]
        name: str = metadata["name"]
        if kind == "ADDED" and FINALIZER in metadata.get("finalizers", ()):
            self.held.add(name)
        if name in self.seen or pod.get("status", {}).get("phase") != "Running":
            return
        self.seen.add(name)
        # only the first attempt of a job: what is lost is repeated twice, and no further
        if name.endswith("-1-driver") and random.random() < DELETED:
            self.chosen.add(name)
            when = SECONDS + random.uniform(-2.5, 1)
            timer = threading.Timer(when, self._delete, (name, metadata["namespace"]))
            timer.daemon = True
            timer.start()

    def _delete(self, name: str, namespace: str) -> None:
        with suppress(ApiError):
            self._admin.delete("v1", "Pod", name, namespace, missing_ok=True)


@dataclass(frozen=True)
class Count:
    """How a cluster's jobs came out, compared with what its drivers said."""

    jobs: int
    ended_well: int
    """Jobs that a driver ended with exit code 0 for."""
    false_failed: int
    ran_again: int
    """A driver had ended with exit code 0, and another one was started."""
    false_succeeded: int
    open: int
    """Not over when it was counted."""
    unclear: int
    """Jobs with a driver that two ends were written for: nobody can say which is true, so they are not judged."""
    retried: int
    """Jobs whose driver was lost before its end, so that another attempt was right."""

    @property
    def wrong(self) -> int:
        return self.false_failed + self.ran_again + self.false_succeeded


def test_no_job_is_called_failed_that_ended_well_whatever_becomes_of_its_pod(
    programs: None, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    jobs = scaled(500)
    gates = {"feature-gates": "MutatingAdmissionPolicy=true", "runtime-config": f"{ADMISSION}=true"}
    settings = Settings(
        scheduler_names=("default-scheduler", "yunikorn"), terminated_pod_gc_threshold=THRESHOLD, api_server=gates
    )
    environment = rig_environment(tmp_path, clusters=(KEPT, STRIPPED))
    with ExitStack() as things:
        rig = things.enter_context(Rig(folder=tmp_path, environment=environment, settings=settings))
        _strip(rig.clusters[STRIPPED])
        vandals = {name: Vandal(cluster) for name, cluster in rig.clusters.items()}
        witnesses = {
            name: things.enter_context(Witness(cluster.plane, vandals[name].on_driver))
            for name, cluster in rig.clusters.items()
        }
        archer = rig.archer("archer", "api,dispatcher,tracker,janitor")
        clients = Clients(urls=lambda: [url for url in [archer.url()] if url])
        orders = {name: [_order(number, name) for number in range(jobs)] for name in rig.clusters}
        both = [order for pair in zip(*orders.values(), strict=True) for order in pair]
        begun = time.monotonic()
        faults = threading.Thread(target=_break_things, args=(rig,), daemon=True)
        faults.start()
        clients.submit(both, seconds=scaled(90, 15))
        faults.join()
        history.wait_until_over(rig, jobs, seconds=scaled(600, 240), cluster=KEPT)
        took = time.monotonic() - begun
        history.wait_until_clean(rig, seconds=60, cluster=KEPT)
        # the other one may take long: much of it is run again
        with suppress(AssertionError):
            history.wait_until_over(rig, jobs, seconds=scaled(240, 60), cluster=STRIPPED)
        counts = {name: _count(rig, witnesses[name], clients, orders[name]) for name in rig.clusters}
        pace = history.creates_per_minute(rig)
    deleted = {name: len(vandal.chosen) for name, vandal in vandals.items()}
    kept, stripped = counts[KEPT], counts[STRIPPED]
    tell(
        f"premature cleanup: {jobs} jobs in each of two clusters, terminated-pod threshold {THRESHOLD}, drivers deleted by hand "
        f"{deleted[KEPT]} and {deleted[STRIPPED]}, operator away {scaled(60, 10)} s, 2 nodes removed, {took:.0f} s, "
        f"{pace:.0f} creates/min (pacing raised to {PACE}/min); with the finalizer: {kept.false_failed} false FAILED, "
        f"{kept.ran_again} run again after exit code 0, {kept.retried} rightly retried, {kept.unclear} not judged (its node wrote two ends), 0 finalizers left; without it: "
        f"{stripped.false_failed} false FAILED, {stripped.ran_again} run again after exit code 0 "
        f"({stripped.wrong} of {stripped.jobs} wrong, {stripped.open} still open)"
    )
    assert (kept.false_failed, kept.ran_again, kept.false_succeeded, kept.open) == (0, 0, 0, 0)
    assert kept.unclear < jobs // 4
    assert kept.retried > 0, "no driver was lost before its end: the test has shown nothing"
    assert len(vandals[KEPT].held) >= jobs
    assert not vandals[STRIPPED].held
    assert stripped.wrong > 0, "without the finalizer nothing went wrong: the faults were too mild to show anything"


def _order(number: int, cluster: str) -> Order:
    body = submission(number, team=TEAMS[number % 3], seconds=SECONDS, cluster=cluster)
    return Order(key=new_key(), body=body, ends="SUCCEEDED")


def _break_things(rig: Rig) -> None:
    """In both clusters: a node of drivers is drained, one vanishes, and the operator goes away in the middle."""
    # until many drivers run
    time.sleep(scaled(30, 9))
    clusters = list(rig.clusters.values())
    for cluster in clusters:
        cluster.nodes.remove(_busiest(cluster))
    time.sleep(scaled(10, 1))
    for cluster in clusters:
        cluster.operator.crash()
    time.sleep(scaled(30, 5))
    for cluster in clusters:
        cluster.nodes.interrupt(_busiest(cluster), seconds=scaled(20, 3))
    time.sleep(scaled(30, 5))
    for cluster in clusters:
        cluster.operator.start()


def _busiest(cluster: RigCluster) -> str:
    with cluster.plane.client() as client:
        nodes: set[str] = {node["metadata"]["name"] for node in client.list("v1", "Node")}
        drivers = client.list("v1", "Pod", labelSelector="spark-role=driver")
    on: Counter[str] = Counter(pod["spec"].get("nodeName", "") for pod in drivers)
    mine = sorted((name for name in nodes if name.startswith("driver-")), key=lambda name: -on[name])
    return mine[0]


def _count(rig: Rig, witness: Witness, clients: Clients, orders: list[Order]) -> Count:
    attempts, ends = history.attempts_of(rig), history.ends(rig)
    found: Counter[str] = Counter()
    for order in orders:
        job = clients.accepted[order.key]
        names = [name for name, _, _ in attempts[job]]
        if any(name in witness.contradicted for name in names):
            found["unclear"] += 1
            continue
        well = [number for number, name in enumerate(names) if witness.exit_codes.get(name) == 0]
        found["well"] += bool(well)
        found["failed"] += bool(well) and ends[job].startswith("FAILED")
        found["again"] += bool(well) and well[0] != len(names) - 1
        found["succeeded"] += not well and ends[job] == "SUCCEEDED"
        found["open"] += ends[job] not in {"SUCCEEDED", "CANCELLED"} and not ends[job].startswith("FAILED")
        found["retried"] += len(names) > 1 and (not well or well[0] == len(names) - 1)
    return Count(
        jobs=len(orders),
        ended_well=found["well"],
        false_failed=found["failed"],
        ran_again=found["again"],
        false_succeeded=found["succeeded"],
        retried=found["retried"],
        open=found["open"],
        unclear=found["unclear"],
    )


def _strip(cluster: RigCluster) -> None:
    """From now on no driver of this cluster has a finalizer; returns when that is so."""
    name = "no-finalizers"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    policy: dict[str, Any] = {
        "apiVersion": ADMISSION,
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [{"name": "finalizers", "expression": "has(object.metadata.finalizers)"}],
            "mutations": [
                {
                    "patchType": "JSONPatch",
                    "jsonPatch": {"expression": '[JSONPatch{op: "remove", path: "/metadata/finalizers"}]'},
                }
            ],
        },
    }
    binding = {"apiVersion": ADMISSION, "kind": "MutatingAdmissionPolicyBinding", "metadata": {"name": name}}
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "trial", "namespace": "default", "finalizers": [FINALIZER]},
        "spec": {"containers": [{"name": "trial", "image": "trial"}]},
    }
    with cluster.plane.client() as client:
        client.create(policy)
        client.create({**binding, "spec": {"policyName": name}})
        deadline = time.monotonic() + 60
        while client.create(pod, dryRun="All")["metadata"].get("finalizers"):
            assert time.monotonic() < deadline, "the policy does not take finalizers off"
            time.sleep(0.2)
