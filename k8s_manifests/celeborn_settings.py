"""Celeborn's own configuration: https://celeborn.apache.org/docs/latest/configuration/.

What a job sets is not here: Archer writes it into jobs that choose Celeborn.
"""

from typing import Final

from k8s_manifests.celeborn_addresses import CELEBORN_MASTER_PORT, master_host
from k8s_manifests.network_policies import CELEBORN_WORKER_PORTS

FOLDER: Final = "/opt/celeborn/conf"
SCRATCH_FOLDER: Final = "/tmp"  # noqa: S108 - the image's own scratch folder
RATIS_FOLDER: Final = "/mnt/celeborn_ratis"
WORKER_FOLDER: Final = "/mnt/disk1"
RATIS_PORT: Final = 9872
"""What masters agree on."""
MASTER_HTTP_PORT: Final = 9098
WORKER_HTTP_PORT: Final = 9096
SHUTDOWN_SECONDS: Final = 600
"""A worker that is asked to end takes nothing new, and has so long to write out what it holds."""

_LOG4J: Final = """<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN">
  <Appenders>
    <Console name="stdout" target="SYSTEM_OUT">
      <PatternLayout pattern="%d{yyyy-MM-dd'T'HH:mm:ss.SSS} %p [%t] %c{1}: %m%n%ex"/>
    </Console>
  </Appenders>
  <Loggers>
    <Root level="INFO"><AppenderRef ref="stdout"/></Root>
  </Loggers>
</Configuration>
"""


def settings_files(*, masters: int, disk_mib: int) -> dict[str, str]:
    """Return the files of the configuration's folder by name."""
    return {
        "celeborn-defaults.conf": "".join(
            f"{key} {value}\n" for key, value in _defaults(masters=masters, disk_mib=disk_mib).items()
        ),
        "log4j2.xml": _LOG4J,
        "metrics.properties": (
            "*.sink.prometheusServlet.class=org.apache.celeborn.common.metrics.sink.PrometheusServlet\n"
        ),
    }


def _defaults(*, masters: int, disk_mib: int) -> dict[str, str]:
    rpc, fetch, push, replicate = CELEBORN_WORKER_PORTS
    found = {
        "celeborn.master.endpoints": ",".join(f"{master_host(each)}:{CELEBORN_MASTER_PORT}" for each in range(masters)),
        "celeborn.master.http.port": str(MASTER_HTTP_PORT),
        # a pod's address changes, its name does not
        "celeborn.network.bind.preferIpAddress": "false",
        "celeborn.master.heartbeat.worker.timeout": "180s",
        "celeborn.metrics.enabled": "true",
        # quotas are YuniKorn's; with this one on, a job without one falls back to Spark's shuffle
        "celeborn.quota.enabled": "false",
        "celeborn.worker.rpc.port": str(rpc),
        "celeborn.worker.fetch.port": str(fetch),
        "celeborn.worker.push.port": str(push),
        "celeborn.worker.replicate.port": str(replicate),
        "celeborn.worker.http.port": str(WORKER_HTTP_PORT),
        # a tenth of the volume is for what is being written, or the kubelet evicts the pod with all its data
        "celeborn.worker.storage.dirs": f"{WORKER_FOLDER}:disktype=SSD:capacity={disk_mib * 9 // 10}m:flushthread=16",
        # it knows single disks, not arrays
        "celeborn.worker.monitor.disk.enabled": "false",
        # a container that is restarted in its pod goes on with what lies on the disk
        "celeborn.worker.graceful.shutdown.enabled": "true",
        "celeborn.worker.graceful.shutdown.timeout": f"{SHUTDOWN_SECONDS}s",
        "celeborn.worker.graceful.shutdown.recoverPath": f"{WORKER_FOLDER}/recover",
    }
    if masters > 1:
        found["celeborn.master.ha.enabled"] = "true"
        found["celeborn.master.ha.ratis.raft.server.storage.dir"] = RATIS_FOLDER
        for number in range(masters):
            node = f"celeborn.master.ha.node.{number}"
            found[f"{node}.host"] = master_host(number)
            found[f"{node}.port"] = str(CELEBORN_MASTER_PORT)
            found[f"{node}.ratis.port"] = str(RATIS_PORT)
    return found
