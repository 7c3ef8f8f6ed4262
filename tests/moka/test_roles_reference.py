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

    assert "## moka-prod-c-x\n\nFor a test (`prod/cluster-c`). Assumed by `eks.amazonaws.com`." in told
    assert (
        "| ReadLogs | `s3:GetObject` | `eks:…:cluster/c`<br>`the key or resource of a stack, by reference` "
        "| `aws:RequestedRegion` StringEquals `us-east-1` |"
    ) in told


def test_one_team_stands_for_all() -> None:
    told = page([role("moka-prod-c-team-a"), role("moka-prod-c-team-b")])

    assert "team-a" in told
    assert "team-b" not in told


def test_the_page_names_no_account() -> None:
    text = Path("docs/reference/roles.md").read_text(encoding="utf-8")

    assert "arn:aws:" not in text.replace("arn:aws:iam::333333333333", "").replace("arn:aws:iam::444444444444", "")
