"""The answer of `archer explain`: the complete manifest, and for every value who set it and what it covers."""

from collections.abc import Mapping
from typing import Any, Final

from archer.cluster_config import ClusterConfig, ClusterView
from archer.ids import STAND_IN
from archer.spark_application.layers import Layer, values_of
from archer.spark_application.manifest import Built, assemble, conf_of
from archer.spark_application.places import highest_rung
from archer.spark_application.sizes import PodSize
from archer.submission import Driver, Executor, Submission

Json = dict[str, Any]

_PARTS: Final = ("driver", "executor")


def explain(
    submission: Submission,
    *,
    config: ClusterConfig,
    cluster: ClusterView,
    lent: Mapping[str, Any] | None = None,
    rung: float = 1.0,
) -> Json:
    """What the cluster would be asked to run, and why.

    `lent` is what a profile lent the submission (`Profiled.lent`). Raises InvalidSubmissionError.
    """
    built = assemble(submission, config=config, cluster=cluster, job_id=STAND_IN, rung=rung, lent=lent)
    return {
        "cluster": cluster.name,
        "manifest": built.manifest,
        "conf": {key: setting.as_json() for key, setting in built.conf.items()},
        "sizes": _sizes(built, submission, lent or {}, rung),
        "places": {role: _place(built, role) for role in _PARTS},
        "highest_memory_rung": highest_rung(built.inputs, values_of(conf_of(built.inputs, name=STAND_IN, lent=lent))),
    }


def _sizes(built: Built, submission: Submission, lent: Mapping[str, Any], rung: float) -> Json:
    """Each size with its origin; a field that nobody gave is the platform's default."""
    found: Json = {"memory_rung": rung, "vcores": built.sizes.vcores, "memory_mib": built.sizes.memory_mib}
    for role, size in (("driver", built.sizes.driver), ("executor", built.sizes.executor)):
        part: Driver | Executor = getattr(submission, role)
        fields = ["cores", "memory", "memory_overhead"] + (["instances"] if role == "executor" else [])
        found[role] = {
            **_parts(size),
            "origins": {field: _origin(part, role, field, lent) for field in fields},
        }
    found["executor"] |= {
        "instances": built.sizes.instances,
        "least": built.sizes.least,
        "most": built.sizes.most,
    }
    return found


def _parts(size: PodSize) -> Json:
    return {
        "cores": size.cores,
        "heap_mib": size.heap_mib,
        "overhead_mib": size.overhead_mib,
        "off_heap_mib": size.off_heap_mib,
        "python_mib": size.python_mib,
        "memory_mib": size.memory_mib,
    }


def _origin(part: Driver | Executor, role: str, field: str, lent: Mapping[str, Any]) -> str:
    if f"{role}.{field}" in lent:
        return Layer.PROFILE.value
    return Layer.JOB.value if field in part.model_fields_set else Layer.PLATFORM.value


def _place(built: Built, role: str) -> Json:
    pool = built.places.driver if role == "driver" else built.places.executor
    return {"pool": pool.name, "architecture": pool.architecture, "capacity": pool.capacity}
