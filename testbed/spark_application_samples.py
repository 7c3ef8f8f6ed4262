"""An environment with everything that a manifest can depend on, and the jobs whose manifests are kept as golden files.

`python -m testbed.spark_application_samples` writes the golden files again; read the difference before you commit it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from archer.cluster_config import ClusterConfig
from archer.spark_application import assemble, build
from archer.spark_application.manifest import Built
from archer.submission import Submission
from archer.tenancy import Tenancy
from testbed.archer_builders import JOB_ID, make_job

GOLDEN: Final = Path(__file__).parent.parent / "tests" / "archer" / "spark_application" / "golden"
QUEUE: Final = "root.ads.ctr.tier2"


def _pool(name: str, role: str, architecture: str, vcpu: int, gib: int, **fields: Any) -> dict[str, Any]:
    taint = {"key": "moka.dev/role", "operator": "Equal", "value": role, "effect": "NoSchedule"}
    return {
        "name": name,
        "role": role,
        "capacity": "on_demand",
        "architecture": architecture,
        "node_vcpu": vcpu,
        "node_memory_mib": gib * 1024,
        "max_nodes": 10,
        "local_disk": role == "executor",
        "node_selector": {"moka.dev/pool": name},
        "tolerations": [taint],
        **fields,
    }


DOCUMENT: Final[dict[str, Any]] = {
    "schema_version": 1,
    "environment": "lab",
    "region": "us-east-1",
    "job_retention_days": 30,
    "clusters": [
        {
            "name": "batch",
            "eks_name": "moka-lab-batch",
            "kubernetes_version": "1.35",
            "creates_per_minute": 100,
            "celeborn": {"endpoints": ["celeborn-master-0.celeborn-master.moka-celeborn.svc:9097"], "replicate": True},
            "pools": [
                _pool("driver", "driver", "amd64", 8, 32),
                _pool("driver-arm", "driver", "arm64", 8, 32),
                _pool("executor", "executor", "amd64", 16, 64),
                _pool("executor-spot", "executor", "arm64", 16, 128, capacity="spot"),
                _pool("executor-large", "executor", "amd64", 32, 256),
            ],
        }
    ],
    "queues": {
        "default": "root.shared.adhoc.tier3",
        "tree": [
            {"path": "root.ads", "leaf": False, "max": {"vcores": 400, "memory_gib": 3200}},
            {"path": "root.ads.ctr", "leaf": False},
            {"path": "root.ads.ctr.tier1", "leaf": True, "tier": "tier1"},
            {"path": QUEUE, "leaf": True, "tier": "tier2"},
            {"path": "root.shared", "leaf": False},
            {"path": "root.shared.adhoc", "leaf": False},
            {"path": "root.shared.adhoc.tier3", "leaf": True, "tier": "tier3"},
        ],
    },
    "teams": [
        {
            "name": "ads",
            "namespace": "spark-ads",
            "service_account": "spark",
            "clusters": ["batch"],
            "queues": ["root.ads", "root.shared"],
            "quota": {"vcores": 200, "memory_gib": 1600},
            "pods": 200,
            "conf": {"spark.sql.shuffle.partitions": "400"},
        }
    ],
    "profiles": [
        {
            "name": "daily",
            "description": "most pipelines",
            "driver": {"cores": 2, "memory": "8g"},
            "executor": {"cores": 4, "memory": "${heap}", "instances": "${executors}"},
            "conf": {
                "spark.sql.shuffle.partitions": "${partitions}",
                "spark.sql.files.maxPartitionBytes": "256m",
                "spark.app.day": "${day}",
            },
            "parameters": [
                {"name": "day", "description": "day to compute, 2026-11-23"},
                {"name": "heap", "type": "memory", "default": "16g", "allowed": ["8g", "16g", "32g"]},
                {"name": "executors", "type": "integer", "default": "10", "minimum": 1, "maximum": 50},
                {"name": "partitions", "type": "integer", "default": "64"},
            ],
        }
    ],
    "storage": {
        "event_logs": "s3://moka-lab-event-logs",
        "container_logs": "s3://moka-lab-container-logs",
        "artifacts": "s3://moka-lab-artifacts",
        "staging": "s3://moka-lab-staging",
    },
    "spark_features": ["s3a", "committers"],
    "spark_images": [
        {"spark_version": "4.0.5", "image": "registry.example/moka/spark:4.0.5-0123456789ab"},
        {"spark_version": "3.5.6", "image": "registry.example/moka/spark:3.5.6", "architectures": ["amd64"]},
    ],
    "conf": {"spark.sql.shuffle.partitions": "200", "spark.sql.session.timeZone": "UTC"},
}
"""`archer.yaml` of environment lab."""


OPERATOR_DENIES: Final = (
    "spark.kubernetes.authenticate.driver.serviceAccountName",
    "spark.kubernetes.authenticate.executor.serviceAccountName",
    "spark.kubernetes.authenticate.oauthTokenFile",
    "spark.kubernetes.authenticate.oauthToken",
    "spark.kubernetes.authenticate.driver.oauthTokenFile",
    "spark.kubernetes.authenticate.driver.oauthToken",
    "spark.kubernetes.authenticate.executor.oauthTokenFile",
    "spark.kubernetes.authenticate.executor.oauthToken",
    "spark.master",
    "spark.kubernetes.driver.master",
    "spark.kubernetes.container.image",
    "spark.kubernetes.driver.container.image",
    "spark.kubernetes.executor.container.image",
    "spark.kubernetes.namespace",
)
"""Keys that the operator's webhook refuses, or of another value than its own:
https://github.com/kubeflow/spark-operator/blob/v2.5.2/internal/webhook/sparkconf_validator.go."""


def lab(**changes: Any) -> ClusterConfig:
    """The environment, with top-level parts replaced."""
    return ClusterConfig.model_validate({**DOCUMENT, **changes})


def job(**fields: Any) -> Submission:
    """A Python job of team ads that says nothing else."""
    smallest = {
        "name": "report",
        "application": {"file": "s3a://moka-lab-artifacts/ads/report.py"},
        "team": "ads",
        "queue": QUEUE,
        "user": "ada@example.com",
    }
    return Submission.model_validate({**smallest, **fields})


JAR: Final = {
    "file": "s3a://moka-lab-artifacts/ads/report.jar",
    "main_class": "com.example.Report",
    "arguments": ["--day", "2026-11-23", "costs $5, $(HOME) and $$", ""],
    "jars": ["s3a://moka-lab-artifacts/ads/lib.jar"],
    "files": ["https://example.com/rates.csv"],
}

JOBS: Final[Mapping[str, tuple[dict[str, Any], dict[str, Any], float]]] = {
    # name: (the submission's fields, changes of the environment, memory rung)
    "python-minimal": ({}, {}, 1.0),
    "jar-with-arguments": (
        {
            "application": JAR,
            "environment": {"STAGE": "prod", "PRICE": "$(RATE)"},
            "labels": {"example.com/owner": "growth"},
        },
        {},
        1.0,
    ),
    "spot-executors-arm64": (
        {"architecture": "arm64", "executor": {"instances": 8, "cores": 5, "memory": "24g", "capacity": "spot"}},
        {},
        1.0,
    ),
    "dynamic-allocation": (
        {"executor": {"min_instances": 2, "max_instances": 20, "cores": 2, "memory": "4g"}},
        {},
        1.0,
    ),
    "celeborn": (
        {"shuffle": "celeborn", "executor": {"max_instances": 20}},
        {"spark_features": ["s3a", "committers", "celeborn"]},
        1.0,
    ),
    "glue-catalog": (
        {},
        {
            "catalog": {"kind": "glue", "catalog_id": "111111111111"},
            "spark_features": ["s3a", "committers", "glue"],
        },
        1.0,
    ),
    "hive-catalog-spark-3": (
        {"spark_version": "3.5"},
        {"catalog": {"kind": "hive", "uris": ["thrift://metastore.example.com:9083"]}},
        1.0,
    ),
    "profile-with-parameters": ({"profile": "daily", "parameters": {"day": "2026-11-23", "heap": "8g"}}, {}, 1.0),
    "memory-rung-3": (
        {
            "queue": "root.ads.ctr.tier1",
            "executor": {"instances": 4, "cores": 4, "memory": "16g", "memory_overhead": "4g"},
            "conf": {"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "2g"},
        },
        {},
        3.0,
    ),
}
"""The jobs of the golden files."""


def admitted(name: str) -> tuple[Submission, ClusterConfig, Mapping[str, Any]]:
    """A job of the golden files as the door lets it in: its profile applied, and what that lent."""
    fields, changes, _rung = JOBS[name]
    config = lab(**changes)
    admission = Tenancy(config).admit(job(**fields))
    assert not admission.problems, admission.problems
    return admission.submission, config, admission.profiled.lent


def built(name: str) -> Built:
    """Its manifest and the reasons for it."""
    submission, config, lent = admitted(name)
    rung = JOBS[name][2]
    return assemble(submission, config=config, cluster=config.clusters[0], job_id=JOB_ID, rung=rung, lent=lent)


def manifest(name: str) -> dict[str, Any]:
    """Its manifest, as a backend makes it of the stored job."""
    submission, config, _lent = admitted(name)
    stored = make_job(submission=submission, queue=submission.queue, team=submission.team)
    return build(stored, config=config, cluster=config.clusters[0], attempt=1, memory_rung=JOBS[name][2])


def text(name: str) -> str:
    """The golden file's text."""
    return yaml.safe_dump(manifest(name), sort_keys=False, width=120)


def main() -> None:
    for name in JOBS:
        (GOLDEN / f"{name}.yaml").write_text(text(name), encoding="utf-8")


if __name__ == "__main__":
    main()
