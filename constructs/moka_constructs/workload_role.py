"""An AWS identity for one Kubernetes service account, by IRSA or by EKS Pod Identity (decision D6).

IRSA is the default because Spark 3.5 ships an AWS SDK that predates Pod Identity. Either way the role can be assumed by
one service account of one namespace of one cluster and by nothing else: there is no wildcard to switch on.
"""

import dataclasses
import json
from typing import Any, Literal

from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct

from moka_constructs.errors import PropsError
from moka_constructs.location import Location
from moka_constructs.service_role import inline_policies
from moka_constructs.statements import Statement

Mechanism = Literal["irsa", "pod_identity"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClusterIdentity:
    """What a role must know of the cluster whose pods assume it."""

    cluster_name: str
    cluster_arn: str
    oidc_provider_arn: str
    """ARN of the cluster's AWS::IAM::OIDCProvider; a token."""
    oidc_issuer: str
    """oidc.eks.<region>.amazonaws.com/id/<id>, without https://; a token, known only after a deploy."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServiceAccount:
    """A Kubernetes service account."""

    namespace: str
    name: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorkloadRoleProps:
    """Which pods assume the role, how, and what it may do."""

    role_name: str
    """Name of the role, at most 64 characters: charts compute its ARN from it."""
    location: Location
    purpose: str
    """What the role is for; its description adds whose pods assume it."""
    cluster: ClusterIdentity
    service_account: ServiceAccount
    mechanism: Mechanism = "irsa"
    """irsa works with every SDK; pod_identity needs Java SDK 1.12.746 or 2.21.30."""
    managed_policies: tuple[str, ...] = ()
    """AWS managed policies by name, path included."""
    statements: tuple[Statement, ...] = ()
    associate: bool = True
    """With pod_identity, whether to bind the service account here; an EKS add-on binds its own."""


class WorkloadRole(Construct):
    """A role that the pods of one service account assume."""

    def __init__(self, scope: Construct, construct_id: str, props: WorkloadRoleProps) -> None:
        super().__init__(scope, construct_id)
        if "*" in props.service_account.namespace + props.service_account.name:
            raise PropsError(
                "WildcardServiceAccount",
                f"`service_account` must name one account, got {props.service_account.namespace}/{props.service_account.name}; make one role per account",
                self,
            )
        role = iam.CfnRole(
            self,
            "Resource",
            role_name=props.role_name,
            description=f"{props.purpose} ({_pods(props)})",
            assume_role_policy_document=_trust(props),
            managed_policy_arns=[props.location.aws_policy_arn(name) for name in props.managed_policies],
            policies=inline_policies(props.statements),
        )
        self.arn: str = role.attr_arn
        if props.mechanism == "pod_identity" and props.associate:
            eks.CfnPodIdentityAssociation(
                self,
                "Association",
                cluster_name=props.cluster.cluster_name,
                namespace=props.service_account.namespace,
                service_account=props.service_account.name,
                role_arn=role.attr_arn,
            )


def _pods(props: WorkloadRoleProps) -> str:
    account = props.service_account
    # the ARN is text where the name may be a token
    cluster = props.cluster.cluster_arn.rsplit("/", 1)[1]
    return f"pods of {account.namespace}/{account.name} on {cluster}"


def _trust(props: WorkloadRoleProps) -> dict[str, Any]:
    return _irsa_trust(props) if props.mechanism == "irsa" else _pod_identity_trust(props)


def _irsa_trust(props: WorkloadRoleProps) -> dict[str, Any]:
    """Return the trust policy as one Fn::Sub string.

    A condition *key* that holds the issuer cannot be a token in an object, and CfnJson would need a Lambda function. The
    intrinsic is written out because `Fn.sub` is one more call into the CDK's process for each role.
    """
    subject = f"system:serviceaccount:{props.service_account.namespace}:{props.service_account.name}"
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": "${Provider}"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringEquals": {"${Issuer}:sub": subject, "${Issuer}:aud": "sts.amazonaws.com"}},
            }
        ],
    }
    values = {"Provider": props.cluster.oidc_provider_arn, "Issuer": props.cluster.oidc_issuer}
    return {"Fn::Sub": [json.dumps(document), values]}


def _pod_identity_trust(props: WorkloadRoleProps) -> dict[str, Any]:
    """Return the trust policy: the cluster, and the tags that EKS puts on the session.

    Without the tags any association on the cluster could use the role, whoever makes it
    (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html).
    """
    account = props.service_account
    tags = {"kubernetes-namespace": account.namespace, "kubernetes-service-account": account.name}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {
            "ArnEquals": {"aws:SourceArn": props.cluster.cluster_arn},
            "StringEquals": {f"aws:RequestTag/{key}": value for key, value in tags.items()},
        },
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
