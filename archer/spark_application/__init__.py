"""From a submission to the complete `SparkApplication` of an attempt: pure functions, the same input gives the same bytes.

`build` makes the manifest, `check` says at the door what a cluster cannot honour, `explain` shows where each value comes from,
`amount` and `highest_rung` tell admission and retries how large a job is and may become. Nothing here asks a cluster.
"""

from archer.spark_application.checks import check, notes
from archer.spark_application.explaining import explain
from archer.spark_application.manifest import Built, assemble, build
from archer.spark_application.rungs import highest_rung
from archer.spark_application.sizes import amount, asked_sizes

__all__ = ["Built", "amount", "asked_sizes", "assemble", "build", "check", "explain", "highest_rung", "notes"]
