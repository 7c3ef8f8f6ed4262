"""Spark properties and environment variables that a submission may not set, because Archer sets them.

Refusing beats overwriting in silence: the reason names the field to use instead.
"""

from collections.abc import Mapping

_FIELD = "use the field `{}` of the submission"

RESERVED_CONF: Mapping[str, str] = {
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
"""A key, or all keys with that beginning when it ends with `*`, and what to do instead."""

RESERVED_ENVIRONMENT: Mapping[str, str] = {
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
"""As above."""


def reserved_reason(key: str, table: Mapping[str, str]) -> str | None:
    """What to do instead of setting `key`, None when it may be set."""
    for entry, reason in table.items():
        if key == entry or (entry.endswith("*") and key.startswith(entry[:-1])):
            return reason
    return None
