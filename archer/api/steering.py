"""The calls about clusters, queues and routes."""

from fastapi import APIRouter

from archer.api.bodies import NewMode
from archer.api.routes import Archer, asks
from archer.api.steering_answers import (
    ClusterAnswer,
    ClustersAnswer,
    ForgottenAnswer,
    QueueAnswer,
    QueuesAnswer,
    RouteAnswer,
    cluster_answer,
    forgotten_answer,
    queue_answer,
    route_answer,
)
from archer.submission import Submission

router = APIRouter(prefix="/api/v1", tags=["clusters and queues"])


@router.get("/clusters", responses=asks())
def list_clusters(archer: Archer) -> ClustersAnswer:
    """Clusters: what they hold, whether they take jobs, how they answer."""
    return ClustersAnswer(clusters=[cluster_answer(state) for state in archer.clusters()])


@router.put("/clusters/{name}", responses=asks(400, 404, 413, 415, 422))
def set_cluster(archer: Archer, name: str, new: NewMode) -> ClusterAnswer:
    """Open, drain or pause a cluster. What runs there goes on."""
    return cluster_answer(archer.set_cluster(name, new.mode, new.message))


@router.post("/clusters/{name}/forget", responses=asks(404, 409, 415, 422))
def forget_cluster(archer: Archer, name: str) -> ForgottenAnswer:
    """Write off what ran in a cluster that left the configuration for good; a second time finds nothing more.

    409 while this server's configuration has it, or a process tracks it. Active attempts end as lost: their jobs are repeated
    elsewhere where an attempt is left, else they fail. Jobs that wait for it are told that they can never start.
    """
    return forgotten_answer(archer.forget_cluster(name))


@router.get("/queues", responses=asks())
def list_queues(archer: Archer) -> QueuesAnswer:
    """Queues that one may see: what waits, what runs, within which limits."""
    return QueuesAnswer(queues=[queue_answer(state) for state in archer.queues()])


@router.put("/queues/{path}", responses=asks(400, 404, 413, 415, 422))
def set_queue(archer: Archer, path: str, new: NewMode) -> QueueAnswer:
    """Open or pause a queue and those below it. What runs goes on."""
    return queue_answer(archer.set_queue(path, new.mode, new.message))


@router.post("/route", responses=asks(400, 413, 415, 422))
def route(archer: Archer, submission: Submission) -> RouteAnswer:
    """Where a submission would go just now, with each cluster's filters and scores; nothing is submitted."""
    return route_answer(archer.route(submission))
