"""Key policies as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from moka.preflight.key_policy import NEEDED_ACTIONS, autoscaling_role, missing_actions, needed_statements

ACCOUNT = "123456789012"
ROLE = autoscaling_role("aws", ACCOUNT)


def allow(actions: str | list[str], principal: Any = None, **more: Any) -> dict[str, Any]:
    who = {"AWS": ROLE} if principal is None else principal
    return {"Effect": "Allow", "Principal": who, "Action": actions, "Resource": "*", **more}


def missing(*statements: dict[str, Any]) -> tuple[str, ...]:
    return missing_actions({"Version": "2012-10-17", "Statement": list(statements)}, [], ROLE)


def test_printed_statements_are_enough() -> None:
    assert missing(*needed_statements(ROLE)) == ()


def test_account_s_root_alone_is_not_enough_because_the_role_has_no_permissions_of_its_own() -> None:
    assert missing(allow("kms:*", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})) == NEEDED_ACTIONS


def test_use_without_grants_lacks_the_grant() -> None:
    assert missing(needed_statements(ROLE)[0]) == ("kms:CreateGrant",)


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["arn:aws:iam::123456789012:role/Other", ROLE]}])
def test_everybody_and_lists_count(principal: Any) -> None:
    assert missing(allow("kms:*", principal)) == ()


def test_everybody_of_another_account_does_not_count() -> None:
    condition = {"StringEquals": {"kms:CallerAccount": "210987654321"}}

    assert missing(allow("kms:*", "*", Condition=condition)) == NEEDED_ACTIONS


def test_everybody_of_this_account_counts() -> None:
    condition = {"StringEquals": {"kms:CallerAccount": ACCOUNT}}

    assert missing(allow("kms:*", "*", Condition=condition)) == ()


def test_unusual_condition_counts_for_nothing() -> None:
    condition = {"StringEquals": {"kms:ViaService": "rds.us-east-1.amazonaws.com"}}

    assert missing(allow("kms:*", Condition=condition)) == NEEDED_ACTIONS


def test_denial_beats_an_allowance() -> None:
    denial = {**allow("kms:CreateGrant"), "Effect": "Deny"}

    assert missing(allow("kms:*"), denial) == ("kms:CreateGrant",)


@pytest.mark.parametrize(
    "who",
    [
        {"Principal": "*"},
        {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
        {"Principal": {"AWS": ACCOUNT}},
        {"NotPrincipal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/Admin"}},
    ],
)
def test_denial_of_the_whole_account_hits_the_role_too(who: dict[str, Any]) -> None:
    denial = {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*", **who}

    assert missing(allow("kms:*"), denial) == ("kms:Decrypt",)


@pytest.mark.parametrize(
    "who", [{"NotPrincipal": {"AWS": [ROLE]}}, {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/Other"}}]
)
def test_denial_of_others_does_not_hit_the_role(who: dict[str, Any]) -> None:
    denial = {"Effect": "Deny", "NotAction": "kms:DescribeKey", "Resource": "*", **who}

    assert missing(allow("kms:*"), denial) == ()


def test_denial_of_all_but_some_actions_leaves_those() -> None:
    denial = {**allow([]), "Effect": "Deny", "NotAction": ["kms:CreateGrant", "kms:De*"]}
    del denial["Action"]

    assert missing(allow("kms:*"), denial) == tuple(
        action for action in NEEDED_ACTIONS if action not in {"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey"}
    )


def test_denial_of_plain_http_is_no_denial_of_auto_scaling() -> None:
    denial = {**allow("kms:*", "*"), "Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}

    assert missing(*needed_statements(ROLE), denial) == ()


def test_grant_with_constraints_counts_for_nothing() -> None:
    grant = {
        "GranteePrincipal": ROLE,
        "Operations": ["Decrypt"],
        "Constraints": {"EncryptionContextEquals": {"a": "b"}},
    }

    assert missing_actions({}, [grant], ROLE) == NEEDED_ACTIONS
    assert "kms:Decrypt" not in missing_actions({}, [{**grant, "Constraints": {}}], ROLE)


def test_one_statement_without_a_list_around_it_is_read() -> None:
    assert missing_actions({"Statement": allow("kms:*")}, [], ROLE) == ()
