"""One environment as a stage: which stacks there are and what each hands to the next."""

import aws_cdk as cdk

from environments import Environment
from infra.archer import ArcherStack
from infra.bundles import Sets
from infra.cluster import ClusterStack
from infra.data import DataStack
from infra.network import network_outputs
from infra.platform import PlatformStack
from moka_constructs import set_role_path


class EnvironmentStage(cdk.Stage):
    """The stacks of an environment: <name>/network, <name>/data, <name>/cluster-<c>, <name>/platform-<c>, <name>/archer."""

    def __init__(self, app: cdk.App, environment: Environment, sets: Sets | None) -> None:
        """Make the stacks; `sets` are the rendered manifests, None where they are not delivered."""
        super().__init__(
            app,
            environment.name,
            env=cdk.Environment(account=environment.account, region=environment.region),
            permissions_boundary=_boundary(environment),
        )
        network = network_outputs(self, environment)
        data = DataStack(self, environment)
        clusters = {}
        platforms = {}
        for cluster in environment.clusters:
            outputs = ClusterStack(self, environment, cluster, network).outputs
            platforms[cluster.name] = PlatformStack(
                self, environment, cluster, network=network, data=data.outputs, outputs=outputs, sets=sets
            )
            clusters[cluster.name] = outputs
        ArcherStack(
            self,
            environment,
            network=network,
            clusters=clusters,
            host=platforms[environment.archer.cluster].outputs,
            sets=sets,
            after=(data, *platforms.values()),
        )
        for key, value in environment.tags.items():
            cdk.Tags.of(self).add(key, value)
        if environment.permissions.role_path != "/":
            set_role_path(self, environment.permissions.role_path)


def _boundary(environment: Environment) -> cdk.PermissionsBoundary | None:
    arn = environment.permissions.boundary_arn
    return None if arn is None else cdk.PermissionsBoundary.from_arn(arn)
