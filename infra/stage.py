"""One environment as a stage: which stacks there are and what each hands to the next."""

import aws_cdk as cdk

from environments import Environment
from infra.archer import ArcherStack
from infra.cluster import ClusterStack
from infra.data import DataStack
from infra.network import network_outputs
from infra.platform import PlatformStack
from moka_constructs import set_role_path


class EnvironmentStage(cdk.Stage):
    """The stacks of an environment: <name>/network, <name>/data, <name>/cluster-<c>, <name>/platform-<c>, <name>/archer."""

    def __init__(self, app: cdk.App, environment: Environment) -> None:
        super().__init__(
            app,
            environment.name,
            env=cdk.Environment(account=environment.account, region=environment.region),
            permissions_boundary=_boundary(environment),
        )
        network = network_outputs(self, environment)
        data = DataStack(self, environment)
        clusters = {}
        platforms = []
        for cluster in environment.clusters:
            outputs = ClusterStack(self, environment, cluster, network).outputs
            platforms.append(PlatformStack(self, environment, cluster, data.outputs, outputs))
            clusters[cluster.name] = outputs
        ArcherStack(self, environment, network, clusters, after=(data, *platforms))
        for key, value in environment.tags.items():
            cdk.Tags.of(self).add(key, value)
        if environment.permissions.role_path != "/":
            set_role_path(self, environment.permissions.role_path)


def _boundary(environment: Environment) -> cdk.PermissionsBoundary | None:
    arn = environment.permissions.boundary_arn
    return None if arn is None else cdk.PermissionsBoundary.from_arn(arn)
