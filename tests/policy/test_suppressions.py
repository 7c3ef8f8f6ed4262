from pathlib import Path

import pytest

from policy import docs, suppressions
from policy.findings import Finding
from policy.suppressions import SuppressionError, load, split

REASON = "Objects have no names before they are written."


def write(folder: Path, text: str) -> Path:
    file = folder / "suppressions.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def entry(rule: str, path: str, tool: str = "cdk-nag") -> str:
    return f'- {{tool: {tool}, id: "{rule}", path: "{path}", reason: {REASON}}}\n'


def finding(rule: str, path: str) -> Finding:
    return Finding(tool="cdk-nag", id=rule, path=path, text="planted")


def test_a_finding_is_accepted_by_tool_rule_and_place_together(tmp_path: Path) -> None:
    accepted = load(
        write(tmp_path, entry("AwsSolutions-S1", "dev/data/*") + entry("AwsSolutions-S1", "*/*", "checkov"))
    )
    here, elsewhere = finding("AwsSolutions-S1", "dev/data/Logs"), finding("AwsSolutions-S1", "prod/data/Logs")
    other = finding("AwsSolutions-S10", "dev/data/Logs")

    assert split([here, elsewhere, other], accepted) == ([elsewhere, other], [here], [accepted[1]])


def test_brackets_of_a_rule_are_text_and_a_star_is_any_text(tmp_path: Path) -> None:
    accepted = load(write(tmp_path, entry("AwsSolutions-IAM5[Resource::arn:aws:s3:::*/logs/*]", "*/*")))
    meant = finding("AwsSolutions-IAM5[Resource::arn:aws:s3:::b/logs/*]", "dev/a/Role")
    bare = finding("AwsSolutions-IAM5[Resource::*]", "dev/a/Role")

    assert split([meant, bare], accepted) == ([bare], [meant], [])


def test_every_problem_of_the_file_is_told_with_its_entry_and_value(tmp_path: Path) -> None:
    short = "- {tool: cdk-nag, id: AwsSolutions-S1, path: dev/data/*, reason: fine}\n"
    unknown = f"- {{tool: tfsec, id: X-1, path: dev/*, reason: {REASON}, until: never}}\n"

    with pytest.raises(SuppressionError) as error:
        load(write(tmp_path, short + unknown))

    said = str(error.value)
    assert "entry 0.reason: string should have at least 30 characters, got 'fine'" in said
    assert "entry 1.tool" in said
    assert "got 'tfsec'" in said
    assert "entry 1.until: extra inputs are not permitted, got 'never'" in said


@pytest.mark.parametrize("text", ["- {tool: [", "", "tool: cdk-nag"])
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SuppressionError, match="suppressions"):
        load(write(tmp_path, text))


def test_no_two_entries_accept_the_same_rule_at_the_same_place() -> None:
    keys = [(each.tool, each.id, each.path) for each in load()]

    assert len(set(keys)) == len(keys) > 10


def test_no_write_on_every_resource_is_accepted() -> None:
    """The bare star is accepted for three roles that only look; test_platform and test_function hold them to that."""
    stars = {each.path for each in load() if each.id == "AwsSolutions-IAM5[Resource::*]"}

    assert stars == {
        "*/platform-*/Manifests/Role/Resource",
        "*/platform-*/RoleClusterAutoscaler/Resource",
        "*/platform-*/RoleLoadBalancerController/Resource",
    }
    assert [each.id for each in load() if each.id.startswith("AwsSolutions-IAM5[Action")] == []


def test_the_page_of_suppressions_is_what_the_file_says() -> None:
    assert docs.PAGE.read_text(encoding="utf-8") == docs.page(suppressions.load()), "stale: run python -m policy.docs"
