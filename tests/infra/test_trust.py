"""Who may assume which role, asked of the trust policies as IAM would: one service account of one cluster, and nobody else."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from environments import environment_names, load, names
from moka.assembly import SynthesizedStack

Stacks = dict[str, SynthesizedStack]
IRSA = "sts:AssumeRoleWithWebIdentity"


class Pod(NamedTuple):
    """Who asks: a pod of a service account on a cluster."""

    environment: str
    cluster: str
    namespace: str
    account: str


class Role(NamedTuple):
    path: str
    """dev/platform-batch."""
    logical_id: str
    properties: dict[str, Any]


def pod_roles(stacks: Stacks) -> Iterator[Role]:
    """Every role that pods assume."""
    for path, stack in stacks.items():
        for logical_id, resource in stack.resources.items():
            if resource["Type"] != "AWS::IAM::Role":
                continue
            trust = json.dumps(resource["Properties"]["AssumeRolePolicyDocument"])
            if IRSA in trust or "pods.eks.amazonaws.com" in trust:
                yield Role(path, logical_id, resource["Properties"])


def may_assume(role: Role, stack: SynthesizedStack, pod: Pod) -> bool:
    """Whether the pod gets the role: by its cluster's issuer, subject and audience, or by the tags that EKS puts on the
    session and an association on its cluster."""
    document = role.properties["AssumeRolePolicyDocument"]
    if "Fn::Sub" in document:
        text, values = document["Fn::Sub"]
        (statement,) = json.loads(text)["Statement"]
        wanted = {
            "${Issuer}:sub": f"system:serviceaccount:{pod.namespace}:{pod.account}",
            "${Issuer}:aud": "sts.amazonaws.com",
        }
        issuer = json.dumps([values["Issuer"], values["Provider"]])
        return statement["Condition"] == {"StringEquals": wanted} and is_of(issuer, role, pod)
    (statement,) = document["Statement"]
    source = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    tags = {
        "aws:RequestTag/kubernetes-namespace": pod.namespace,
        "aws:RequestTag/kubernetes-service-account": pod.account,
    }
    return (
        source.endswith(f":cluster/moka-{pod.environment}-{pod.cluster}")
        and statement["Condition"]["StringEquals"] == tags
        and (pod.namespace, pod.account) in associated(role, stack)
    )


def is_of(issuer: str, role: Role, pod: Pod) -> bool:
    """Whether an issuer is the pod's cluster's: imported from its stack, or made in the role's own, which is that stack."""
    if "Fn::ImportValue" in issuer:
        return issuer.count(f'"moka-{pod.environment}-cluster-{pod.cluster}:') == issuer.count("Fn::ImportValue") > 1
    return role.path == f"{pod.environment}/cluster-{pod.cluster}"


def associated(role: Role, stack: SynthesizedStack) -> set[tuple[str, str]]:
    """{(namespace, service account)} that Pod Identity gives the role to."""
    found = set()
    for resource in stack.resources.values():
        properties = resource.get("Properties", {})
        bound = [("kube-system", each) for each in properties.get("PodIdentityAssociations", [])]
        if resource["Type"] == "AWS::EKS::PodIdentityAssociation":
            bound.append((properties["Namespace"], properties))
        found |= {
            (namespace, each["ServiceAccount"])
            for namespace, each in bound
            if each["RoleArn"]["Fn::GetAtt"][0] == role.logical_id
        }
    return found


def pods() -> dict[str, Pod]:
    """{role's name: the one pod that may assume it}, of all shipped environments, from their files alone."""
    found = {}
    for name in environment_names():
        environment = load(name)
        for cluster in environment.clusters:
            accounts = {
                **names.SERVICE_ACCOUNTS,
                **{
                    names.team_workload(team): (names.namespace(team), names.SPARK_SERVICE_ACCOUNT)
                    for team in environment.teams_on(cluster)
                },
            }
            for workload, (namespace, account) in accounts.items():
                pod = Pod(name, cluster.name, namespace, account)
                found[names.role(environment, cluster, workload)] = pod
    return found


@pytest.mark.parametrize("name", environment_names())
def test_a_role_is_for_the_service_account_that_charts_name_and_for_no_other_pod(stacks: Stacks, name: str) -> None:
    known = pods()
    roles = [role for role in pod_roles(stacks) if role.path.startswith(f"{name}/")]
    everybody = set(known.values())

    assert roles
    for role in roles:
        own = known[role.properties["RoleName"]]
        assert {pod for pod in everybody if may_assume(role, stacks[role.path], pod)} == {own}


def test_pods_of_another_cluster_with_the_same_names_are_refused(stacks: Stacks) -> None:
    shipper = next(role for role in pod_roles(stacks) if role.properties["RoleName"] == "moka-prod-batch-log-shipper")
    stack = stacks[shipper.path]

    assert may_assume(shipper, stack, Pod("prod", "batch", "moka-logs", "log-shipper"))
    assert not may_assume(shipper, stack, Pod("prod", "adhoc", "moka-logs", "log-shipper"))
    assert not may_assume(shipper, stack, Pod("staging", "batch", "moka-logs", "log-shipper"))
    assert not may_assume(shipper, stack, Pod("prod", "batch", "spark-ads", "log-shipper"))
    assert not may_assume(shipper, stack, Pod("prod", "batch", "moka-system", "spark"))


def test_both_mechanisms_and_add_ons_are_among_what_is_asked(stacks: Stacks) -> None:
    documents = {role.properties["RoleName"]: role.properties["AssumeRolePolicyDocument"] for role in pod_roles(stacks)}

    assert "Fn::Sub" in documents["moka-prod-batch-vpc-cni"]
    assert "Fn::Sub" not in documents["moka-staging-batch-log-shipper"]
    assert {name.removeprefix("moka-prod-batch-") for name in documents} >= set(names.SERVICE_ACCOUNTS)
