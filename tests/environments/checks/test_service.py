"""Service checks by themselves. Refusals in full are in `cases/service.yaml`."""

from collections.abc import Callable
from typing import Any

import pytest

from environments.checks import ownership, service
from environments.model import Environment
from environments.names import WORKLOADS

Make = Callable[..., Environment]


def test_every_workload_and_team_may_have_an_identity_of_its_own(environment: Make) -> None:
    overrides = dict.fromkeys([*WORKLOADS, "team-ads"], "pod_identity")
    made = environment("dev", {"identity": {"overrides": overrides}})

    assert list(service.identity(made)) == []


@pytest.mark.parametrize("database", [{"min_acu": 2, "max_acu": 2}, {"min_acu": 0, "max_acu": 1}])
def test_a_database_of_fixed_or_paused_size_is_allowed(database: dict[str, Any], environment: Make) -> None:
    assert list(service.database(environment("dev", {"archer.database": database}))) == []


def test_things_of_other_accounts_that_may_be_foreign_are_allowed(environment: Make) -> None:
    """Data, catalogs and roles to assume belong to whoever owns them; access entries may be a central team's."""
    changes = {
        "clusters.0.access.1.role_arn": "arn:aws:iam::222222222222:role/Auditor",
        "catalog": {"kind": "glue", "catalog_id": "222222222222"},
        "teams.0.assume_role_arns": ["arn:aws:iam::222222222222:role/Reader"],
    }

    assert list(ownership.accounts(environment("dev", changes))) == []
