"""Full heaps and a mistake, as real Spark on a real kubelet ends by them, diagnosed by Archer as what they are.

Containers that are too small are in `test_out_of_memory`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from archer.model import Category
from testbed.archer_diagnosis import diagnosis_of
from testbed.real_node.spark_jobs import SCRIPT

if TYPE_CHECKING:
    from testbed.real_node.spark_jobs import SparkJobs

START = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n"


@pytest.mark.parametrize(
    ("line", "category", "role"),
    [
        (
            'spark.range(1).selectExpr("length(repeat(cast(id as string), 1000000000)) n").collect()',
            Category.OOM_HEAP,
            "executor",
        ),
        ("spark._jvm.java.nio.ByteBuffer.allocate(1000000000)", Category.OOM_HEAP, "driver"),
        ("raise ValueError('no such day')", Category.USER_ERROR, None),
    ],
    ids=["an executor's heap", "the driver's heap", "a mistake"],
)
def test_real_sparks_end_is_diagnosed_as_what_it_is(
    jobs: SparkJobs, line: str, category: Category, role: str | None
) -> None:
    job = jobs.submit(script=f"{START}{line}\n", conf={"spark.task.maxFailures": "1"})
    driver = job.wait_end()

    found = diagnosis_of(driver, job.executors(), job.log(), application=SCRIPT)

    assert (found.category, found.role) == (category, role), f"{found}\n{job.log()[-3000:]}"
