"""The Lambda function that applies manifests to one cluster, with its role, its way to the API server and its access entry.

It is the cluster's administrator: who may write roles of RBAC and definitions of kinds could make himself one, so anything less
would only look so. Therefore it is held tight from the other side: no code but ours, no layer, one cluster, called by CloudFormation
and by those who may invoke it by name (`moka apply --via-lambda`).
"""

import dataclasses
from collections.abc import Sequence
from typing import Final

from aws_cdk import CfnResource
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_logs as logs
from constructs import Construct

from moka_constructs.closed_security_group import ClosedSecurityGroup
from moka_constructs.location import Location
from moka_constructs.manifest_set.assets import ENTRY, publish_code
from moka_constructs.service_role import ServiceRole, ServiceRoleProps
from moka_constructs.statements import Statement, look

TIMEOUT_SECONDS: Final = 900
"""The longest that Lambda allows; the function answers after twelve minutes."""
MEMORY_MIB: Final = 512
HTTPS: Final = 443


@dataclasses.dataclass(frozen=True, kw_only=True)
class ManifestFunctionProps:
    """Which cluster, and from where."""

    name: str
    """Name of the function, its role and its log group, at most 64 characters."""
    location: Location
    cluster_name: str
    cluster_endpoint: str
    """Address of the API server."""
    cluster_ca: str
    """Certificate authority of the API server, base64."""
    cluster_security_group_id: str
    """Group in which the control plane listens."""
    vpc_id: str
    subnet_ids: tuple[str, ...]
    """The nodes' subnets: they reach the API server, S3 and ECR."""
    image_repositories: tuple[str, ...] = ()
    """ARNs of repositories in which images are looked up."""
    log_retention_days: int


class ManifestFunction(Construct):
    """The function. `arn` is a token; what must be there before a set is delivered is in `needed`."""

    def __init__(self, scope: Construct, construct_id: str, props: ManifestFunctionProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        code = publish_code(self, "Code")
        log_group = f"/aws/lambda/{props.name}"
        group = logs.CfnLogGroup(self, "LogGroup", log_group_name=log_group, retention_in_days=props.log_retention_days)
        role = ServiceRole(
            self,
            "Role",
            ServiceRoleProps(
                role_name=props.name,
                location=props.location,
                description=f"Applies manifests to EKS cluster {props.cluster_name}",
                service="lambda.amazonaws.com",
                statements=_statements(props, code.s3_bucket_name, log_group),
            ),
        )
        security_group, rules = self._network()
        function = CfnResource(
            self,
            "Function",
            # not the L1 of aws_lambda: loading that module is a tenth of a second of each synth
            type="AWS::Lambda::Function",
            properties={
                "FunctionName": props.name,
                "Description": f"Applies manifests to EKS cluster {props.cluster_name}",
                "Architectures": ["arm64"],
                "Runtime": "python3.13",
                "Handler": ENTRY,
                "Code": {"S3Bucket": code.s3_bucket_name, "S3Key": code.s3_object_key},
                "Role": role.arn,
                "MemorySize": MEMORY_MIB,
                "Timeout": TIMEOUT_SECONDS,
                "VpcConfig": {"SubnetIds": list(props.subnet_ids), "SecurityGroupIds": [security_group.id]},
                "Environment": {
                    "Variables": {
                        "ACCOUNT": props.location.account,
                        "CLUSTER_NAME": props.cluster_name,
                        "CLUSTER_ENDPOINT": props.cluster_endpoint,
                        "CLUSTER_CA": props.cluster_ca,
                    }
                },
            },
        )
        function.add_resource_dependency(group)
        self.arn: str = function.get_att("Arn").to_string()
        self.needed: Sequence[CfnResource] = (self._access_entry(role.arn), *rules)
        """Made before the function is called, and deleted after its last call."""

    def _network(self) -> tuple[ClosedSecurityGroup, Sequence[CfnResource]]:
        """Return the function's security group, and the rules that let it out."""
        props = self._props
        group = ClosedSecurityGroup(
            self,
            "SecurityGroup",
            name=props.name,
            description=f"Function that applies manifests to {props.cluster_name}",
            vpc_id=props.vpc_id,
        )
        into = ec2.CfnSecurityGroupIngress(
            self,
            "ApiServerIn",
            group_id=props.cluster_security_group_id,
            source_security_group_id=group.id,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            description="API server from the function that applies manifests",
        )
        # S3 and ECR have no fixed addresses, and the API server's interfaces are behind the same port
        out = ec2.CfnSecurityGroupEgress(
            self,
            "HttpsOut",
            group_id=group.id,
            cidr_ip="0.0.0.0/0",
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            description="API server, S3, ECR",
        )
        return group, (into, out)

    def _access_entry(self, role_arn: str) -> eks.CfnAccessEntry:
        props = self._props
        policy = eks.CfnAccessEntry.AccessPolicyProperty(
            access_scope=eks.CfnAccessEntry.AccessScopeProperty(type="cluster"),
            policy_arn=f"arn:{props.location.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        )
        return eks.CfnAccessEntry(
            self,
            "AccessEntry",
            cluster_name=props.cluster_name,
            principal_arn=role_arn,
            type="STANDARD",
            access_policies=[policy],
        )


def _statements(props: ManifestFunctionProps, bucket: str, log_group: str) -> tuple[Statement, ...]:
    location = props.location
    look_up = Statement(sid="LookUpImages", actions=("ecr:DescribeImages",), resources=props.image_repositories)
    return (
        # keys are hashes of the content, so the next bundle's is not known; templates end in .json
        Statement(
            sid="ReadBundles",
            actions=("s3:GetObject",),
            resources=(f"arn:{location.partition}:s3:::{bucket}/*.zip",),
        ),
        *((look_up,) if props.image_repositories else ()),
        Statement(
            sid="WriteLogs",
            actions=("logs:CreateLogStream", "logs:PutLogEvents"),
            resources=(f"{location.arn('logs', f'log-group:{log_group}')}:*",),
        ),
        # Lambda asks for these when it makes the function and takes no narrower resource; the function's code may not use them:
        # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
        Statement(
            sid="LetLambdaJoinTheNetwork",
            actions=(
                "ec2:AssignPrivateIpAddresses",
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:UnassignPrivateIpAddresses",
            ),
            # any account: subnets that another account shares are the other's
            resources=(f"arn:{location.partition}:ec2:{location.region}:*:*/*",),
            conditions={"Null": {"lambda:SourceFunctionArn": "true"}},
        ),
        look("Look", location.region, ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")),
    )
