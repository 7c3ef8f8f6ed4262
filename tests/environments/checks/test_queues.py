"""YuniKorn's rules by themselves. Refusals in full are in `cases/queues.yaml`.

The numbers are those of the tree in which each rule was seen to be refused by YuniKorn's own validator (core v1.9.0).
"""

from collections.abc import Callable
from typing import Any

import pytest

from environments.checks import queues
from environments.model import Environment
from environments.problems import Finding

Make = Callable[..., Environment]


def _amount(vcores: int, memory_gib: int) -> dict[str, int]:
    return {"vcores": vcores, "memory_gib": memory_gib}


def _tree(*organisations: dict[str, Any]) -> dict[str, Any]:
    return {"queues.tree": list(organisations)}


def _org(project: dict[str, Any], *tiers: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {"name": "ads", "queues": [{"name": "ctr", "queues": list(tiers), **project}], **settings}


def _paths(found: Any) -> list[Any]:
    findings: list[Finding] = list(found)
    return [finding.path[2:] for finding in findings]


def test_a_tree_may_leave_everything_open(environment: Make) -> None:
    made = environment("dev", _tree(_org({}, {"name": "tier2"})))

    assert list(queues.resources(made)) == []
    assert list(queues.applications(made)) == []


def test_equal_amounts_are_allowed_on_every_level(environment: Make) -> None:
    whole = _amount(100, 800)
    tier = {"name": "tier1", "guaranteed": whole, "max": whole, "max_applications": 10}
    organisation = _org(
        {"guaranteed": whole, "max": whole, "max_applications": 10},
        tier,
        guaranteed=whole,
        max=whole,
        max_applications=10,
    )
    made = environment("dev", _tree(organisation))

    assert list(queues.resources(made)) == []
    assert list(queues.applications(made)) == []


def test_a_parent_without_a_guarantee_carries_the_sum_of_its_children(environment: Make) -> None:
    """The sum counts in the grandparent: 60 + 60 > 100, although the project in between says nothing."""
    tiers = [{"name": "tier1", "guaranteed": _amount(60, 1)}, {"name": "tier2", "guaranteed": _amount(60, 1)}]
    made = environment("dev", _tree(_org({}, *tiers, guaranteed=_amount(100, 800))))

    (finding,) = queues.resources(made)

    assert finding.path == ("queues", "tree", 0, "guaranteed")
    assert finding.allowed == "at least 120 vcores, 2 GiB, the sum of its children's guarantees"


def test_a_sum_above_a_max_in_between_is_told_where_the_sum_is(environment: Make) -> None:
    tiers = [{"name": "tier1", "guaranteed": _amount(60, 1)}, {"name": "tier2", "guaranteed": _amount(60, 1)}]
    made = environment("dev", _tree(_org({"max": _amount(100, 800)}, *tiers)))

    (finding,) = queues.resources(made)

    assert finding.path == ("queues", "tree", 0, "queues", 0, "guaranteed")
    assert finding.value == "120 vcores, 2 GiB (the sum of its children's)"
    assert finding.allowed == "at most 100 vcores, 800 GiB, its own max"


def test_memory_is_judged_apart_from_cores(environment: Make) -> None:
    made = environment("dev", _tree(_org({"max": _amount(1, 900)}, {"name": "tier2"}, max=_amount(100, 800))))

    assert _paths(queues.resources(made)) == [(0, "queues", 0, "max")]


@pytest.mark.parametrize(("path", "count"), [("root", 0), ("root.shared", 0), ("root.shared.adhoc.tier3", 1)])
def test_leaves_are_the_queues_that_take_jobs(path: str, count: int, environment: Make) -> None:
    assert queues.leaves(environment("dev").queues).count(path) == count


def test_a_path_of_63_characters_is_allowed(environment: Make) -> None:
    organisation = {"name": "o" * 22, "queues": [{"name": "p" * 29, "queues": [{"name": "tier2"}]}]}
    longer = {"name": "o" * 23, "queues": organisation["queues"]}

    assert len(f"root.{'o' * 22}.{'p' * 29}.tier2") == 63
    assert list(queues.form(environment("dev", _tree(organisation)))) == []
    assert len(list(queues.form(environment("dev", _tree(longer))))) == 1


def test_a_leaf_that_no_team_may_use_is_a_warning(environment: Make) -> None:
    made = environment("dev", {"teams.0.queues": ["root.ads.ctr.tier1"]})

    (finding,) = queues.unused_leaves(made)

    assert (finding.level, finding.value) == ("warning", "root.ads.ctr.tier2")
