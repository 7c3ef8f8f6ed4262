"""The platform stack of a cluster: the identities of what runs on it, and the charts, which wait for them.

With `delivery.manifests: files` it delivers no chart; `moka render` writes them for whoever does.
"""

import re
from typing import Final

import aws_cdk as cdk

from environments import Environment, names
from environments.clusters import Cluster
from infra.base import MokaStack, mechanism
from infra.bundles import Sets
from infra.manifests import PLATFORM, manifest_set
from infra.outputs import ClusterOutputs, DataOutputs, NetworkOutputs, PlatformOutputs
from infra.workload import Workload
from infra.workloads import cluster_workloads
from moka_constructs import ManifestFunction, ManifestFunctionProps, WorkloadRole, WorkloadRoleProps

ECR: Final = re.compile(r"(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(.+)")


class PlatformStack(MokaStack):
    """Roles of the pods on one cluster: teams' jobs, and the platform's own that call AWS."""

    def __init__(
        self,
        stage: cdk.Stage,
        environment: Environment,
        cluster: Cluster,
        *,
        network: NetworkOutputs,
        data: DataOutputs,
        outputs: ClusterOutputs,
        sets: Sets | None,
    ) -> None:
        """Make the stack; `sets` are the rendered manifests of the environment, None where they are not delivered."""
        super().__init__(stage, f"platform-{cluster.name}", environment, protect=False)
        self._cluster = cluster
        self._outputs = outputs
        self.roles = {workload.name: self._role(workload) for workload in cluster_workloads(environment, cluster, data)}
        """{workload: its role}."""
        function = None if sets is None else self._function(network)
        if function is not None and sets is not None:
            self._deliver(function, sets)
        self.outputs = PlatformOutputs(manifest_function_arn=None if function is None else function.arn)

    def _function(self, network: NetworkOutputs) -> ManifestFunction:
        environment, cluster = self.environment_file, self._cluster
        return ManifestFunction(
            self,
            "Manifests",
            ManifestFunctionProps(
                name=names.role(environment, cluster, "manifests"),
                location=self.location,
                cluster_name=names.eks_cluster(environment, cluster),
                cluster_endpoint=self._outputs.endpoint,
                cluster_ca=self._outputs.certificate_authority,
                cluster_security_group_id=self._outputs.security_group_id,
                vpc_id=network.vpc_id,
                # one per zone: an address in each is all that Lambda takes
                subnet_ids=tuple(subnets[0].id for subnets in network.node_subnets.values()),
                image_repositories=self._image_repositories(),
                log_retention_days=cluster.log_retention_days,
            ),
        )

    def _image_repositories(self) -> tuple[str, ...]:
        """Return the ARNs of the repositories that charts pull from; none for a registry that is not this account's."""
        match = ECR.fullmatch(names.registry(self.environment_file))
        if match is None or match[1] != self.environment_file.account:
            return ()
        return (f"arn:{self.location.partition}:ecr:{match[2]}:{match[1]}:repository/{match[3]}/*",)

    def _deliver(self, function: ManifestFunction, sets: Sets) -> None:
        manifest_set(
            self,
            self._cluster,
            PLATFORM,
            function_arn=function.arn,
            sets=sets,
            values={"cluster_endpoint": self._outputs.endpoint, "oidc_issuer": self._outputs.identity.oidc_issuer},
            after=(*function.needed, *self.roles.values()),
        )

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
