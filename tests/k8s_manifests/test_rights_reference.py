"""What each account may do, as one committed table: a change of any right shows there."""

from dataclasses import replace

import pytest

from k8s_manifests.errors import ChartError
from k8s_manifests.rights import Right
from k8s_manifests.rights_reference import (
    EVERYBODY,
    PAGE,
    TEAM,
    ClusterRights,
    every_cluster,
    expanded,
    page,
    read,
)

TEAMS = frozenset({"spark-ads", "spark-search"})
DRIVERS = frozenset(Right(f"{team}/spark", team, "pods", "", "create") for team in TEAMS)
OPERATOR = frozenset(Right("moka-operator/controller", team, "pods", "", "get") for team in TEAMS)


def a_cluster(rights: frozenset[Right], name: str = "dev/batch") -> ClusterRights:
    return ClusterRights(
        name=name, teams=TEAMS, accounts=frozenset(each.account for each in rights), rights=frozenset(rights)
    )


@pytest.fixture(scope="module")
def clusters() -> list[ClusterRights]:
    """The rights on every cluster of every shipped environment."""
    return every_cluster()


def test_the_committed_table_is_what_the_charts_give(clusters: list[ClusterRights]) -> None:
    committed = PAGE.read_text(encoding="utf-8")

    assert committed == page(clusters), "run `python -m k8s_manifests.rights_reference` and look at what changed"


def test_the_table_read_back_gives_every_account_its_rights_on_every_cluster(clusters: list[ClusterRights]) -> None:
    committed = read(PAGE.read_text(encoding="utf-8"))

    for cluster in clusters:
        there = {each for each in expanded(committed, cluster.teams) if each.account in cluster.accounts}
        assert there == cluster.rights


def test_every_rendered_account_is_named_also_those_without_rights(clusters: list[ClusterRights]) -> None:
    text = PAGE.read_text(encoding="utf-8")

    accounts = {account for cluster in clusters for account in cluster.accounts if not account.startswith("spark-")}
    assert len(accounts) > 10
    for account in accounts:
        assert f"| `{account}` |" in text
    assert f"| `{TEAM}/spark` | every cluster |" in text


def test_teams_are_written_once_and_names_and_cluster_wide_rights_survive_the_round_trip() -> None:
    lock = Right("moka-operator/controller", "moka-operator", "leases.coordination.k8s.io", "lock-a", "update")
    nodes = Right("moka-operator/controller", "", "nodes", "", "list")

    text = page([a_cluster(DRIVERS | OPERATOR | {lock, nodes})])

    found = {each for each in read(text) if each.account != EVERYBODY}
    driver = Right(f"{TEAM}/spark", TEAM, "pods", "", "create")
    assert found == {driver, Right("moka-operator/controller", TEAM, "pods", "", "get"), lock, nodes}


def test_an_account_of_one_team_with_rights_in_anothers_namespace_is_refused() -> None:
    stranger = Right("spark-ads/spark", "spark-search", "pods", "", "delete")

    with pytest.raises(ChartError, match=r"rights on dev/batch: differ between teams: .*spark-search.*delete"):
        page([a_cluster(DRIVERS | {stranger})])


def test_a_team_that_has_less_than_others_is_refused() -> None:
    with pytest.raises(ChartError, match=r"differ between teams: .*moka-operator/controller"):
        page([a_cluster(DRIVERS | frozenset(list(OPERATOR)[:1]))])


def test_a_cluster_that_gives_an_account_less_than_others_is_refused() -> None:
    more = frozenset(replace(each, verb="list") for each in OPERATOR)

    with pytest.raises(ChartError, match=r"rights on prod/adhoc: lack what other clusters have: .*list"):
        page([a_cluster(OPERATOR | more), a_cluster(OPERATOR, "prod/adhoc")])
