"""The platform stack of a cluster: the identities of what runs on it.

The charts join it through a manifest set that waits for these roles; until then `moka render` writes them to files.
"""

import aws_cdk as cdk

from environments import Environment, names
from environments.clusters import Cluster
from infra.base import MokaStack, mechanism
from infra.outputs import ClusterOutputs, DataOutputs
from infra.workload import Workload
from infra.workloads import cluster_workloads
from moka_constructs import WorkloadRole, WorkloadRoleProps


class PlatformStack(MokaStack):
    """Roles of the pods on one cluster: teams' jobs, and the platform's own that call AWS."""

    def __init__(
        self,
        stage: cdk.Stage,
        environment: Environment,
        cluster: Cluster,
        data: DataOutputs,
        outputs: ClusterOutputs,
    ) -> None:
        super().__init__(stage, f"platform-{cluster.name}", environment, protect=False)
        self._cluster = cluster
        self._outputs = outputs
        self.roles = {workload.name: self._role(workload) for workload in cluster_workloads(environment, cluster, data)}
        """{workload: its role}; what carries the charts depends on them."""

    def _role(self, workload: Workload) -> WorkloadRole:
        environment = self.environment_file
        return WorkloadRole(
            self,
            f"Role{''.join(part.capitalize() for part in workload.name.split('-'))}",
            WorkloadRoleProps(
                role_name=names.role(environment, self._cluster, workload.name),
                location=self.location,
                purpose=workload.purpose,
                cluster=self._outputs.identity,
                service_account=workload.service_account,
                mechanism=mechanism(environment, workload.name),
                statements=workload.statements,
            ),
        )
