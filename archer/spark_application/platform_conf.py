"""Spark properties that the platform gives every job: event log, S3, metrics, decommissioning, shuffle, catalog.

Each group is a function of the job's inputs; a job may override all that `archer.reserved` does not keep. Sources:
https://spark.apache.org/docs/4.0.0/running-on-kubernetes.html, https://spark.apache.org/docs/4.0.0/cloud-integration.html,
https://hadoop.apache.org/docs/r3.4.1/hadoop-aws/tools/hadoop-aws/committers.html, https://celeborn.apache.org/docs/latest/.
"""

from collections.abc import Callable
from typing import Final

from archer.spark_application.inputs import Inputs
from archer.spark_application.sizes import Sizes

EVENT_LOG_FOLDER: Final = "spark-events"
"""Below the bucket of event logs, where the History Server looks and teams' roles may write (design decision 0004)."""
NETWORK_POLICY_STEP: Final = "org.apache.spark.deploy.k8s.features.NetworkPolicyFeatureStep"
EXECUTOR_STOP_SECONDS: Final = 120
"""Spot instances give two minutes; an executor uses them to hand its blocks on."""

_SDK_V1: Final = "com.amazonaws.auth.WebIdentityTokenCredentialsProvider"
_SDK_V2: Final = {
    "irsa": "software.amazon.awssdk.auth.credentials.WebIdentityTokenFileCredentialsProvider",
    "pod_identity": "software.amazon.awssdk.auth.credentials.ContainerCredentialsProvider",
}
_COMMITTERS: Final = "org.apache.spark.internal.io.cloud"
_CELEBORN: Final = "org.apache.spark.shuffle.celeborn"
_GLUE_FACTORY: Final = "com.amazonaws.glue.catalog.metastore.AWSGlueDataCatalogHiveClientFactory"


def platform_conf(inputs: Inputs, sizes: Sizes, name: str) -> dict[str, str]:
    """All of them, for the attempt of that name."""
    found = {"spark.kubernetes.executor.podNamePrefix": name}
    for group in _GROUPS:
        found |= group(inputs, sizes)
    return found


def s3a(location: str) -> str:
    """`s3://…` as Spark writes it."""
    return location.replace("s3://", "s3a://", 1)


def _event_log(inputs: Inputs, _sizes: Sizes) -> dict[str, str]:
    if not inputs.image_has("s3a"):
        return {"spark.eventLog.enabled": "false"}
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": f"{s3a(inputs.config.storage.event_logs).rstrip('/')}/{EVENT_LOG_FOLDER}/",
        # S3 shows a part when it is closed: a crash loses the last one only, so the parts are as small as Spark allows
        "spark.eventLog.rolling.enabled": "true",
        "spark.eventLog.rolling.maxFileSize": "10m",
        "spark.eventLog.compress": "true",
    }


def _s3a(inputs: Inputs, _sizes: Sizes) -> dict[str, str]:
    if not inputs.image_has("s3a"):
        return {}
    # Spark 3 ships the first AWS SDK for Java, Spark 4 the second
    provider = _SDK_V1 if inputs.spark < (4, 0) else _SDK_V2[inputs.team.identity]
    return {
        "spark.hadoop.fs.s3a.aws.credentials.provider": provider,
        "spark.hadoop.fs.s3a.endpoint.region": inputs.config.region,
    }


def _committers(inputs: Inputs, _sizes: Sizes) -> dict[str, str]:
    """Output by S3A's magic committer: a rename on S3 is a copy, and a task that dies in it leaves half a file."""
    if not (inputs.image_has("s3a") and inputs.image_has("committers")):
        return {}
    return {
        "spark.hadoop.fs.s3a.committer.name": "magic",
        "spark.hadoop.fs.s3a.committer.magic.enabled": "true",
        "spark.hadoop.mapreduce.outputcommitter.factory.scheme.s3a": "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory",
        "spark.sql.sources.commitProtocolClass": f"{_COMMITTERS}.PathOutputCommitProtocol",
        "spark.sql.parquet.output.committer.class": f"{_COMMITTERS}.BindingParquetOutputCommitter",
    }


def _decommissioning(inputs: Inputs, _sizes: Sizes) -> dict[str, str]:
    """What an executor does when its node goes: it takes no more tasks and hands its blocks on."""
    found = {
        "spark.decommission.enabled": "true",
        "spark.storage.decommission.enabled": "true",
        "spark.storage.decommission.rddBlocks.enabled": "true",
        # Celeborn has the shuffle data then
        "spark.storage.decommission.shuffleBlocks.enabled": "false" if inputs.celeborn else "true",
        "spark.executor.decommission.forceKillTimeout": f"{EXECUTOR_STOP_SECONDS - 10}s",
        # the kubelet's own signal, so that an image needs no script of Spark's (Spark's default is one that sends SIGPWR)
        "spark.executor.decommission.signal": "TERM",
        "spark.kubernetes.decommission.script": "/bin/true",
    }
    if inputs.image_has("s3a") and not inputs.celeborn:
        staging = s3a(inputs.config.storage.staging).rstrip("/")
        found["spark.storage.decommission.fallbackStorage.path"] = f"{staging}/{inputs.team.name}/decommissioned/"
        found["spark.storage.decommission.fallbackStorage.cleanUp"] = "true"
    return found


def _metrics(inputs: Inputs, _sizes: Sizes) -> dict[str, str]:
    return {
        "spark.ui.prometheus.enabled": "true",
        "spark.metrics.conf.*.sink.prometheusServlet.class": "org.apache.spark.metrics.sink.PrometheusServlet",
        "spark.metrics.conf.*.sink.prometheusServlet.path": "/metrics/prometheus",
        "spark.metrics.conf.driver.sink.prometheusServlet.path": "/metrics/driver/prometheus",
        # the application's id would make a new series of every run
        "spark.metrics.namespace": inputs.submission.name,
        "spark.executor.processTreeMetrics.enabled": "true",
    }


def _sql(_inputs: Inputs, _sizes: Sizes) -> dict[str, str]:
    return {
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.adaptive.coalescePartitions.enabled": "true",
        "spark.sql.adaptive.skewJoin.enabled": "true",
    }


def _kubernetes(inputs: Inputs, _sizes: Sizes) -> dict[str, str]:
    found = {
        # executors that failed tell why, until Archer has counted them and deletes them
        "spark.kubernetes.executor.deleteOnTermination": "false",
        # lists from the API server's cache: drivers' lists are its heaviest load
        "spark.kubernetes.executor.enablePollingWithResourceVersion": "true",
        "spark.kubernetes.allocation.batch.size": "20",
        "spark.kubernetes.submission.connectionTimeout": "120000",
        "spark.kubernetes.submission.requestTimeout": "120000",
        "spark.kubernetes.driver.connectionTimeout": "120000",
        "spark.kubernetes.driver.requestTimeout": "120000",
    }
    if inputs.spark >= (4, 2):
        # its policy shuts out whoever reads metrics, and a driver's role may make none; the namespace has its own
        found["spark.kubernetes.driver.pod.excludedFeatureSteps"] = NETWORK_POLICY_STEP
    return found


def _dynamic_allocation(inputs: Inputs, sizes: Sizes) -> dict[str, str]:
    if not inputs.dynamic:
        return {"spark.dynamicAllocation.enabled": "false"}
    return {
        "spark.dynamicAllocation.enabled": "true",
        "spark.dynamicAllocation.initialExecutors": str(sizes.instances),
        "spark.dynamicAllocation.minExecutors": str(sizes.least),
        "spark.dynamicAllocation.maxExecutors": str(sizes.most),
        # without Celeborn an executor stays while it holds shuffle data that is needed
        "spark.dynamicAllocation.shuffleTracking.enabled": "false" if inputs.celeborn else "true",
    }


def _celeborn(inputs: Inputs, _sizes: Sizes) -> dict[str, str]:
    service = inputs.cluster.celeborn
    if not inputs.celeborn or service is None:
        return {}
    found = {
        "spark.shuffle.manager": f"{_CELEBORN}.SparkShuffleManager",
        "spark.shuffle.service.enabled": "false",
        "spark.celeborn.master.endpoints": ",".join(service.endpoints),
        "spark.celeborn.client.push.replicate.enabled": "true" if service.replicate else "false",
        # with dynamic allocation a shuffle that fell back to disks would lose its blocks
        "spark.celeborn.client.spark.shuffle.fallback.policy": "NEVER" if inputs.dynamic else "AUTO",
        "spark.celeborn.client.fetch.maxRetriesForEachReplica": "5",
        "spark.celeborn.data.io.retryWait": "15s",
        # Java's serializer cannot be relocated
        "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
        # reads blocks from the executors' disks, where there are none
        "spark.sql.adaptive.localShuffleReader.enabled": "false",
    }
    if inputs.spark >= (3, 5):
        found["spark.shuffle.sort.io.plugin.class"] = f"{_CELEBORN}.CelebornShuffleDataIO"
    return found


def _catalog(inputs: Inputs, _sizes: Sizes) -> dict[str, str]:
    catalog = inputs.config.catalog
    if catalog is None or (catalog.kind == "glue" and not inputs.image_has("glue")):
        return {}
    found = {"spark.sql.catalogImplementation": "hive"}
    if catalog.kind == "hive":
        found["spark.hadoop.hive.metastore.uris"] = ",".join(catalog.uris)
        return found
    found["spark.hadoop.hive.metastore.client.factory.class"] = _GLUE_FACTORY
    if catalog.catalog_id is not None:
        found["spark.hadoop.hive.metastore.glue.catalogid"] = catalog.catalog_id
    return found


_GROUPS: Final[tuple[Callable[[Inputs, Sizes], dict[str, str]], ...]] = (
    _event_log,
    _s3a,
    _committers,
    _decommissioning,
    _metrics,
    _sql,
    _kubernetes,
    _dynamic_allocation,
    _celeborn,
    _catalog,
)
