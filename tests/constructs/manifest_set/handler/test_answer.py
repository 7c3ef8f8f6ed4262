import json
import time
from typing import Any

import pytest

from moka_constructs.manifest_set.handler import answer

from .cloudformation_side import CloudFormation

DATA = {"created": "1"}


def event(cloudformation: CloudFormation) -> dict[str, Any]:
    return cloudformation.event("Create", {})


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


def test_the_answer_says_whose_it_is(cloudformation: CloudFormation) -> None:
    answer.send(event(cloudformation), "c/platform", "SUCCESS", "", DATA)

    assert cloudformation.answers == [
        {
            "StackId": cloudformation.stack,
            "RequestId": "r-1",
            "LogicalResourceId": "PlatformSet",
            "PhysicalResourceId": "c/platform",
            "Status": "SUCCESS",
            "Reason": "",
            "Data": DATA,
        }
    ]


def test_a_long_reason_is_cut_to_what_cloudformation_reads(cloudformation: CloudFormation) -> None:
    reason = "first: reason\n" + "ä" * 20_000 + "\nlast: reason"

    answer.send(event(cloudformation), "c/platform", "FAILED", reason, {})

    (body,) = cloudformation.bodies
    assert len(body) <= 4096
    assert json.loads(body)["Reason"].startswith("first: reason")
    assert json.loads(body)["Reason"].endswith("last: reason")


def test_an_answer_that_is_not_taken_is_sent_again(cloudformation: CloudFormation) -> None:
    cloudformation.refuse = 2

    answer.send(event(cloudformation), "c/platform", "SUCCESS", "", {})

    assert len(cloudformation.answers) == 1


def test_who_never_gets_an_answer_through_is_told_by_an_error(cloudformation: CloudFormation) -> None:
    cloudformation.refuse = 99

    with pytest.raises(OSError, match="503"):
        answer.send(event(cloudformation), "c/platform", "SUCCESS", "", {})
