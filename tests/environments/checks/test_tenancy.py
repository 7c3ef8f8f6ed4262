"""Teams by themselves. Refusals in full are in `cases/tenancy.yaml`."""

from collections.abc import Callable

import pytest

from environments.checks import tenancy
from environments.model import Environment

Make = Callable[..., Environment]
AT = ("teams", 0)


@pytest.mark.parametrize("queue", ["root.ads", "root.ads.ctr", "root.ads.ctr.tier2"])
def test_a_team_may_have_a_subtree_or_a_leaf(queue: str, environment: Make) -> None:
    made = environment("dev", {"teams.0.queues": [queue]})

    assert list(tenancy.team_queues(made, AT, made.teams[0])) == []


def test_reading_all_of_a_bucket_and_writing_a_part_is_allowed(environment: Make) -> None:
    data = [
        {"bucket": "example-ads", "access": "read"},
        {"bucket": "example-ads", "prefix": "out/", "access": "write"},
    ]
    made = environment("dev", {"teams.0.data": data})

    assert list(tenancy.team_data(made, AT, made.teams[0])) == []


def test_a_quota_below_the_guarantee_is_a_warning(environment: Make) -> None:
    made = environment("dev", {"teams.0.quota.memory_gib": 700})

    (finding,) = tenancy.quota_against_queues(made, AT, made.teams[0])

    assert finding.level == "warning"
    assert finding.allowed == "at least the 100 vcores and 800 GiB that root.ads guarantees"
