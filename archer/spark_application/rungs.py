"""How far a job may climb the memory ladder on a cluster."""

from archer.cluster_config import ClusterConfig, ClusterView
from archer.spark_application import places
from archer.spark_application.inputs import Inputs, resolve
from archer.spark_application.layers import values_of
from archer.spark_application.manifest import conf_of
from archer.submission import Submission


def highest_rung(submission: Submission, *, config: ClusterConfig, cluster: ClusterView) -> float:
    """The highest rung (1 to 4) whose pods fit nodes that exist, and whose whole fits all bounds.

    Bounds: the team's quota, the maximum of the queue and of each above it, the user's limit.

    1 for a job that does not even fit as it is, or that the cluster cannot run at all.
    """
    inputs = resolve(submission, config=config, cluster=cluster)
    if not isinstance(inputs, Inputs):
        return places.RUNGS[0]
    return places.highest_rung(inputs, values_of(conf_of(inputs, name="any")))
