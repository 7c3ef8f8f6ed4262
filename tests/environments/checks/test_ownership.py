"""Whose ARNs these are: a copied file is told every ARN that was left behind."""

from collections.abc import Callable

from environments.checks import ownership
from environments.model import Environment

Make = Callable[..., Environment]


def test_another_account_lists_every_arn_that_is_still_the_old_ones(environment: Make) -> None:
    made = environment("prod", {"account": "222222222222"})

    assert [finding.path for finding in ownership.accounts(made)] == [
        ("bootstrap", "execution_role_arn"),
        ("permissions", "boundary_arn"),
        ("archer", "endpoint", "certificate_arn"),
    ]


def test_existing_keys_and_roles_are_owned_too(environment: Make) -> None:
    changes = {
        "account": "222222222222",
        "clusters.0.cluster_role_arn": "arn:aws:iam::111111111111:role/Cluster",
        "clusters.0.node_role_arn": "arn:aws:iam::111111111111:role/Node",
    }

    paths = [finding.path[-1] for finding in ownership.accounts(environment("staging", changes))]

    assert paths == [
        "boundary_arn",
        "key_arn",
        "volumes_key_arn",
        "certificate_arn",
        "key_arn",
        "secrets_key_arn",
        "cluster_role_arn",
        "node_role_arn",
    ]


def test_global_things_have_no_region(environment: Make) -> None:
    made = environment("prod", {"region": "us-west-2"})

    assert [finding.path for finding in ownership.in_region(made)] == [("archer", "endpoint", "certificate_arn")]
