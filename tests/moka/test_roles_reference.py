import json
from pathlib import Path

from moka.assembly import SynthesizedStack
from moka.roles_reference import page


def role(name: str, **properties: object) -> SynthesizedStack:
    resource = {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": name,
            "Description": "For a test",
            "AssumeRolePolicyDocument": {"Statement": [{"Principal": {"Service": "eks.amazonaws.com"}}]},
            **properties,
        },
    }
    return SynthesizedStack(
        environment="prod",
        name="cluster-c",
        account="111111111111",
        region="us-east-1",
        template={"Resources": {"R": resource}},
    )


def test_a_role_is_told_with_who_assumes_it_and_what_it_may_do() -> None:
    statement = {
        "Sid": "ReadLogs",
        "Action": ["s3:GetObject"],
        "Resource": ["arn:aws:eks:us-east-1:111111111111:cluster/c", {"Fn::GetAtt": ["Key", "Arn"]}],
        "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
    }

    told = page([role("moka-prod-c-x", Policies=[{"PolicyDocument": {"Statement": [statement]}}])])

    assert "| `moka-prod-c-x` | For a test | `eks.amazonaws.com` | service |" in told
    assert "## moka-prod-c-x\n\nFor a test (`prod/cluster-c`). Assumed by `eks.amazonaws.com` (service)." in told
    assert (
        "| ReadLogs | `s3:GetObject` | `eks:…:cluster/c`<br>`the key or resource of a stack, by reference` "
        "| `aws:RequestedRegion` StringEquals `us-east-1` |"
    ) in told


def test_pods_are_told_by_their_service_account_whichever_way_they_get_the_role() -> None:
    subject = {"StringEquals": {"${Issuer}:sub": "system:serviceaccount:moka-system:x"}}
    irsa = {"Fn::Sub": [json.dumps({"Statement": [{"Condition": subject}]}), {}]}
    pod_identity = {"Statement": [{"Principal": {"Service": "pods.eks.amazonaws.com"}}]}
    bound = {"Namespace": "moka-system", "ServiceAccount": "y", "RoleArn": {"Fn::GetAtt": ["R", "Arn"]}}
    addon = {"PodIdentityAssociations": [{"ServiceAccount": "aws-node", "RoleArn": {"Fn::GetAtt": ["R", "Arn"]}}]}
    by_irsa = role("moka-prod-c-x", AssumeRolePolicyDocument=irsa)
    by_association = role("moka-prod-c-y", AssumeRolePolicyDocument=pod_identity)
    by_association.resources["A"] = {"Type": "AWS::EKS::PodIdentityAssociation", "Properties": bound}
    of_addon = role("moka-prod-c-z", AssumeRolePolicyDocument=pod_identity)
    of_addon.resources["A"] = {"Type": "AWS::EKS::Addon", "Properties": addon}

    told = page([by_irsa, by_association, of_addon])

    assert "| `moka-prod-c-x` | For a test | pods of `moka-system/x` | IRSA |" in told
    assert "| `moka-prod-c-y` | For a test | pods of `moka-system/y` | Pod Identity |" in told
    assert "| `moka-prod-c-z` | For a test | pods of `kube-system/aws-node` | Pod Identity |" in told


def test_one_team_stands_for_all() -> None:
    told = page([role("moka-prod-c-team-a"), role("moka-prod-c-team-b")])

    assert "team-a" in told
    assert "team-b" not in told


def test_the_page_names_no_account() -> None:
    text = Path("docs/reference/roles.md").read_text(encoding="utf-8")

    assert "arn:aws:" not in text.replace("arn:aws:iam::333333333333", "").replace("arn:aws:iam::444444444444", "")
