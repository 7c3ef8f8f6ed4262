"""Spark properties and environment variables that a submission may not set, because Archer sets them.

Refusing beats overwriting in silence: the reason names the field to use instead.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Final


class Reserved(Mapping[str, str]):
    """A key, or all keys of a pattern in which `*` stands for anything, and what to do instead."""

    def __init__(self, entries: Mapping[str, str]) -> None:
        self._entries = dict(entries)
        self._starts = tuple(entry.partition("*")[0] for entry in entries)

    def __getitem__(self, entry: str) -> str:
        return self._entries[entry]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def reason(self, key: str) -> str | None:
        """What to do instead of setting `key`, None when it may be set."""
        # asked for each property of each submission, and most begin as no entry does
        if not key.startswith(self._starts):
            return None
        if key in self._entries:
            return self._entries[key]
        return next((reason for entry, reason in self._entries.items() if fnmatchcase(key, entry)), None)


_FIELD = "use the field `{}` of the submission"

RESERVED_CONF: Final = Reserved(
    {
        "spark.master": "leave it out: Archer chooses where the job runs; use `cluster` to name a cluster",
        "spark.submit.*": "leave it out: Archer decides how the job is deployed",
        "spark.app.id": "leave it out: it is the attempt's name, so that logs and history are found",
        "spark.test.appId": "leave it out: it is the attempt's name, so that logs and history are found",
        "spark.app.name": _FIELD.format("name"),
        "spark.jars": _FIELD.format("application.jars"),
        "spark.files": _FIELD.format("application.files"),
        "spark.archives": _FIELD.format("application.archives"),
        "spark.driver.memory": _FIELD.format("driver.memory"),
        "spark.driver.memoryOverhead": _FIELD.format("driver.memory_overhead"),
        "spark.driver.cores": _FIELD.format("driver.cores"),
        "spark.driver.host": "leave it out: Archer sets the driver's address",
        "spark.driver.bindAddress": "leave it out: Archer sets the driver's address",
        "spark.executor.memory": _FIELD.format("executor.memory"),
        "spark.executor.memoryOverhead": _FIELD.format("executor.memory_overhead"),
        "spark.executor.cores": _FIELD.format("executor.cores"),
        "spark.executor.instances": _FIELD.format("executor.instances"),
        "spark.eventLog.*": "leave it out: Archer writes every job's event log for the History Server",
        "spark.ui.port": "leave it out: many jobs share the machine, Archer finds a free port",
        "spark.ui.enabled": "leave it out: the job's page links to Spark's own",
        "spark.local.dir": "leave it out: Archer gives each attempt its own scratch folder and cleans it",
        "spark.archer.*": "leave it out: these keys are Archer's own",
        "spark.kubernetes.namespace": _FIELD.format("team"),
        "spark.kubernetes.container.image": _FIELD.format("image"),
        "spark.kubernetes.executor.podNamePrefix": "leave it out: it is the attempt's name, so that logs are found",
    }
)

_ACTED_ON: Mapping[str, str] = {
    "kubernetes.io": "Kubernetes and the Cluster Autoscaler",
    "k8s.io": "Kubernetes and the Spark operator",
    "yunikorn.apache.org": "YuniKorn's queues",
    "karpenter.sh": "autoscalers",
    "amazonaws.com": "EKS and its network plugin",
    "archer.moka.dev": "Archer and its trackers",
}
"""Domains of annotations that mean something to the platform; all others are the job's own."""

_PACKAGES = "name the .jar files in `application.jars`: packages would be fetched by the operator's pod, and never reach the job"

RESERVED_ON_KUBERNETES: Final = Reserved(
    {
        "spark.kubernetes.driver.master": "leave it out: the operator sets the API server's address",
        "spark.kubernetes.authenticate.*": "leave it out: pods have the service account of the team's namespace",
        "spark.kubernetes.driver.container.image": _FIELD.format("image"),
        "spark.kubernetes.executor.container.image": _FIELD.format("image"),
        "spark.kubernetes.container.image.pullPolicy": "leave it out: tags of the registry never change",
        "spark.kubernetes.driver.pod.name": "leave it out: it is the attempt's name, so that logs are found",
        "spark.kubernetes.driver.pod.excludedFeatureSteps": "leave it out: Archer leaves out what its templates replace",
        "spark.kubernetes.driver.pod.featureSteps": "leave it out: the driver's pod is Archer's to write",
        "spark.kubernetes.executor.pod.featureSteps": "leave it out: the executors' pods are Archer's to write",
        "spark.kubernetes.driver.podTemplate*": "leave it out: Archer writes the template",
        "spark.kubernetes.executor.podTemplate*": "leave it out: Archer writes the template",
        "spark.kubernetes.driver.request.cores": _FIELD.format("driver.cores"),
        "spark.kubernetes.executor.request.cores": _FIELD.format("executor.cores"),
        "spark.kubernetes.driver.limit.cores": "leave it out: a limit would throttle the job on an idle node",
        "spark.kubernetes.executor.limit.cores": "leave it out: a limit would throttle the job on an idle node",
        "spark.kubernetes.memoryOverheadFactor": "use the fields `driver.memory_overhead` and `executor.memory_overhead`",
        "spark.driver.memoryOverheadFactor": _FIELD.format("driver.memory_overhead"),
        "spark.executor.memoryOverheadFactor": _FIELD.format("executor.memory_overhead"),
        "spark.driver.minMemoryOverhead": _FIELD.format("driver.memory_overhead"),
        "spark.executor.minMemoryOverhead": _FIELD.format("executor.memory_overhead"),
        "spark.kubernetes.node.selector.*": "use the fields `architecture` and `executor.capacity`",
        "spark.kubernetes.driver.node.selector.*": "use the field `architecture`",
        "spark.kubernetes.executor.node.selector.*": "use the fields `architecture` and `executor.capacity`",
        "spark.kubernetes.driver.label.*": _FIELD.format("labels"),
        "spark.kubernetes.executor.label.*": _FIELD.format("labels"),
        **{
            f"spark.kubernetes.{role}.annotation.*{domain}/*": f"leave it out: {who} act on these annotations"
            for role in ("driver", "executor")
            for domain, who in _ACTED_ON.items()
        },
        "spark.kubernetes.driver.service.*": "leave it out: Archer lays out the driver's Service",
        "spark.kubernetes.driver.volumes.*": "leave it out: Archer mounts the scratch disk; data lives on S3",
        "spark.kubernetes.executor.volumes.*": "leave it out: Archer mounts the scratch disk; data lives on S3",
        "spark.kubernetes.driver.secrets.*": "leave it out: credentials come from the team's AWS role",
        "spark.kubernetes.executor.secrets.*": "leave it out: credentials come from the team's AWS role",
        "spark.kubernetes.driver.secretKeyRef.*": "leave it out: credentials come from the team's AWS role",
        "spark.kubernetes.executor.secretKeyRef.*": "leave it out: credentials come from the team's AWS role",
        "spark.kubernetes.driverEnv.*": _FIELD.format("environment"),
        "spark.executorEnv.*": _FIELD.format("environment"),
        "spark.kubernetes.scheduler.name": "leave it out: YuniKorn places all jobs; use `queue`",
        "spark.kubernetes.driver.scheduler.name": "leave it out: YuniKorn places all jobs; use `queue`",
        "spark.kubernetes.executor.scheduler.name": "leave it out: YuniKorn places all jobs; use `queue`",
        "spark.kubernetes.executor.deleteOnTermination": "leave it out: Archer deletes executors when their end is recorded",
        "spark.kubernetes.allocation.pods.allocator": "leave it out: Archer knows executors by the names of Spark's own pods",
        "spark.kubernetes.submission.*": "leave it out: the operator submits, and must not wait for the job's end",
        "spark.jars.packages": _PACKAGES,
        "spark.jars.excludes": _PACKAGES,
        "spark.jars.repositories": _PACKAGES,
        "spark.jars.ivy": _PACKAGES,
        "spark.jars.ivySettings": _PACKAGES,
        "spark.kubernetes.report.interval": "leave it out: Archer reports",
        "spark.kubernetes.local.dirs.tmpfs": "leave it out: Archer mounts the scratch disk",
        "spark.kubernetes.hadoop.*": "leave it out: put Hadoop's properties into `conf` as spark.hadoop.…",
        "spark.kubernetes.kerberos.*": "leave it out: jobs have the team's AWS role, no ticket",
        "spark.kubernetes.pyspark.pythonVersion": "leave it out: the image decides",
        "spark.dynamicAllocation.enabled": _FIELD.format("executor.max_instances"),
        "spark.dynamicAllocation.minExecutors": _FIELD.format("executor.min_instances"),
        "spark.dynamicAllocation.maxExecutors": _FIELD.format("executor.max_instances"),
        "spark.dynamicAllocation.initialExecutors": _FIELD.format("executor.instances"),
        "spark.dynamicAllocation.shuffleTracking.enabled": _FIELD.format("shuffle"),
        "spark.shuffle.manager": _FIELD.format("shuffle"),
        "spark.shuffle.service.*": _FIELD.format("shuffle"),
        "spark.shuffle.sort.io.plugin.class": _FIELD.format("shuffle"),
        "spark.celeborn.master.endpoints": _FIELD.format("shuffle"),
        "spark.decommission.enabled": "leave it out: spot nodes are given back with it",
        "spark.executor.decommission.signal": "leave it out: the kubelet sends it",
        "spark.kubernetes.decommission.script": "leave it out: the executors' template has its own way",
        "spark.hadoop.fs.s3a.access.key": "leave it out: credentials come from the team's AWS role",
        "spark.hadoop.fs.s3a.secret.key": "leave it out: credentials come from the team's AWS role",
        "spark.hadoop.fs.s3a.session.token": "leave it out: credentials come from the team's AWS role",
        "spark.ui.proxyBase": "leave it out: Archer's page links to Spark's own",
        "spark.ui.reverseProxy*": "leave it out: Archer's page links to Spark's own",
        "spark.driver.port": "leave it out: each driver has a pod of its own",
        "spark.driver.blockManager.port": "leave it out: each driver has a pod of its own",
    }
)
"""On Kubernetes alone: what the pods of the platform fix, and all that the operator's own check of `sparkConf` refuses
(https://github.com/kubeflow/spark-operator/blob/v2.5.2/internal/webhook/sparkconf_validator.go)."""

RESERVED_ENVIRONMENT: Final = Reserved(
    {
        "SPARK_HOME": "leave it out: Archer chooses Spark; use `spark_version` to ask for one",
        "SPARK_CONF_DIR": "leave it out: put properties into `conf`",
        "SPARK_LOCAL_IP": "leave it out: Archer sets the driver's address",
        "SPARK_LOCAL_DIRS": "leave it out: Archer gives each attempt its own scratch folder",
        "JAVA_HOME": "leave it out: Archer chooses a Java that this Spark supports",
        "JAVA_TOOL_OPTIONS": "leave it out: use `conf.spark.driver.extraJavaOptions`",
        "_JAVA_OPTIONS": "leave it out: use `conf.spark.driver.extraJavaOptions`, and the field `driver.memory` for the heap",
        "JDK_JAVA_OPTIONS": "leave it out: use `conf.spark.driver.extraJavaOptions`",
        "LD_PRELOAD": "leave it out: it would change Archer's own processes",
        "LD_AUDIT": "leave it out: it would change Archer's own processes",
        "ARCHER_*": "leave it out: these variables are Archer's own",
    }
)
