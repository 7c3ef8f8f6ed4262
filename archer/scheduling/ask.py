"""What a job asks for, as routing reads it from a submission: where, which Spark, which nodes, how large its pods are."""

from dataclasses import dataclass

from archer.cluster_config import ClusterConfig
from archer.model import Job
from archer.spark_application import asked_sizes
from archer.submission import Submission


@dataclass(frozen=True, kw_only=True)
class Pod:
    """Size of a driver or of an executor."""

    cores: int
    memory_mib: int
    """Overheads, off-heap memory and Python's own included, times the memory rung."""


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
    celeborn: bool
    """It wants the remote shuffle service."""
    driver: Pod
    executor: Pod
    instances: int
    """Executors at most."""

    @classmethod
    def of_job(cls, job: Job, rung: float, config: ClusterConfig | None) -> "Ask":
        """The job's, with `rung` times the memory. Raises ValueError when its submission can't be read."""
        submission = Submission.model_validate(job.submission)
        return cls.of(submission, queue=job.queue, namespace=job.namespace, config=config, rung=rung)

    @classmethod
    def of(
        cls,
        submission: Submission,
        *,
        queue: str,
        namespace: str | None,
        config: ClusterConfig | None,
        rung: float = 1.0,
    ) -> "Ask":
        """A submission's, with defaults and profile filled in, as large as its pods will be."""
        sizes = asked_sizes(submission, config, rung=rung)
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
            celeborn=submission.shuffle == "celeborn",
            driver=Pod(cores=sizes.driver.cores, memory_mib=sizes.driver.memory_mib),
            executor=Pod(cores=sizes.executor.cores, memory_mib=sizes.executor.memory_mib),
            instances=sizes.most,
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
        celeborn=False,
        driver=nothing,
        executor=nothing,
        instances=0,
    )
