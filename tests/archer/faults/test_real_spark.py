"""Real Spark: what succeeds, what fails, and what runs out of memory, end with their true result.

One server for all, as each of these takes seconds; the jobs run beside each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.archer.faults.conftest import ArcherProcess, Archers

COUNT = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
print("rows", spark.range(1000).count(), spark.sparkContext.applicationId)
spark.stop()
"""

RAISE = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
spark.sql("select nothing from range(3)").show()
"""

FILL_HEAP = """
from pyspark.sql import SparkSession

jvm = SparkSession.builder.getOrCreate()._jvm
kept = jvm.java.util.ArrayList()
while True:
    kept.add(jvm.java.nio.ByteBuffer.allocate(50_000_000))
"""

FILL_PYTHON = """
import time

kept = []
while True:
    kept.append(b"x" * 20_000_000)
    time.sleep(0.01)
"""


def stdout(server: ArcherProcess, job: str) -> str:
    return str(server.http.get(f"/api/v1/jobs/{job}/logs", params={"stream": "stdout"}).json()["text"])


def test_real_jobs_end_in_their_true_states(archers: Archers) -> None:
    server = archers.serve("--history", "--history-port", "0", "--slots", "2", data="data with space", real_spark=True)
    # jobs of seconds never earn back the optimising compiler's work, nor that of collecting garbage side by side
    quick = {"conf": {"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}}
    small = {"driver": {"memory": "512m"}, "executor": {"memory": "512m"}}
    tight = {part: {"memory": "512m", "memory_overhead": "128m"} for part in ("driver", "executor")}
    good = server.submit(archers.application(COUNT, "count.py"), **quick)
    bad = server.submit(archers.application(RAISE, "raise.py"), **quick)
    heap = server.submit(archers.application(FILL_HEAP, "heap.py"), **small, **quick)
    python = server.submit(archers.application(FILL_PYTHON, "python.py"), **tight, **quick)

    succeeded = server.wait(good)
    assert succeeded["state"] == "SUCCEEDED"
    assert succeeded["spark_app_id"] == f"local-{good}-1"
    assert stdout(server, good) == f"rows 1000 local-{good}-1\n"
    assert "RUNNING" in server.moves(good)
    assert _seen_in_history(archers, succeeded["history_url"], good)

    failed = server.wait(bad)
    assert (failed["state"], failed["diagnosis"]["category"]) == ("FAILED", "user-error")
    assert "AnalysisException" in failed["diagnosis"]["summary"]
    assert "raise.py:5" in failed["diagnosis"]["resolution"]

    full = server.wait(heap)
    assert (full["state"], full["diagnosis"]["category"]) == ("FAILED", "oom-heap")
    assert "512m" in full["diagnosis"]["summary"]
    assert full["diagnosis"]["exit_code"] == 3

    killed = server.wait(python)
    assert (killed["state"], killed["diagnosis"]["category"]) == ("FAILED", "oom-container")
    assert "640 MiB" in killed["diagnosis"]["summary"]

    for job in (good, bad, heap, python):
        assert not (server.data / "attempts" / f"{job}-1" / "scratch").exists()


def _seen_in_history(archers: Archers, url: str, job: str) -> bool:
    """Spark's own History Server has read the event log."""
    server = url.partition("/history/")[0]

    def found() -> bool:
        try:
            answer = httpx.get(f"{server}/api/v1/applications/local-{job}-1", trust_env=False)
        except httpx.TransportError:
            return False
        return answer.status_code == 200 and answer.json()["attempts"][0]["completed"]

    return archers.until(found, what=f"{url} in the History Server")
