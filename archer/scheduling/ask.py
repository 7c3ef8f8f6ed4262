"""What a job asks for, as routing reads it from a submission: where, which Spark, which nodes, how large its pods are."""

from dataclasses import dataclass
from typing import Any

from archer.memory import with_overhead_mib
from archer.model import Job
from archer.submission import Submission


@dataclass(frozen=True, kw_only=True)
class Pod:
    """Size of a driver or of an executor."""

    cores: int
    memory_mib: int
    """Overheads included, times the memory rung."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One job's wishes."""

    name: str
    queue: str
    team: str | None
    namespace: str | None
    cluster: str | None
    """The only one that it may go to; None: any."""
    spark_version: str | None
    own_image: bool
    """It names an image of its own, which holds whatever Spark it likes."""
    architecture: str | None
    capacity: str | None
    """Kind of nodes for executors: on_demand or spot; None: any."""
    driver: Pod
    executor: Pod
    instances: int
    """Executors at most."""

    @classmethod
    def of_job(cls, job: Job, rung: float) -> "Ask":
        """The job's, with `rung` times the memory. Raises ValueError when its submission can't be read."""
        return cls.of(Submission.model_validate(job.submission), queue=job.queue, namespace=job.namespace, rung=rung)

    @classmethod
    def of(cls, submission: Submission, *, queue: str, namespace: str | None, rung: float = 1.0) -> "Ask":
        """A submission's, with defaults and profile filled in."""
        python = submission.application.type == "python"

        def size(part: Any) -> Pod:
            whole = with_overhead_mib(part.memory, part.memory_overhead, python=python)
            return Pod(cores=part.cores, memory_mib=round(whole * rung))

        return cls(
            name=submission.name,
            queue=queue,
            team=submission.team,
            namespace=namespace,
            cluster=submission.cluster,
            spark_version=submission.spark_version,
            own_image=submission.image is not None,
            architecture=submission.architecture,
            capacity=submission.executor.capacity,
            driver=size(submission.driver),
            executor=size(submission.executor),
            instances=submission.executor.max_instances or submission.executor.instances,
        )


def unsized(job: Job) -> Ask:
    """Of a job on a server that knows no environment: there is nothing to fit it into."""
    nothing = Pod(cores=0, memory_mib=0)
    return Ask(
        name=job.name,
        queue=job.queue,
        team=job.team,
        namespace=job.namespace,
        cluster=job.submission.get("cluster"),
        spark_version=None,
        own_image=False,
        architecture=None,
        capacity=None,
        driver=nothing,
        executor=nothing,
        instances=0,
    )
