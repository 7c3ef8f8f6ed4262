from __future__ import annotations

from collections.abc import Callable

from moka.architecture.environment import Architecture

from .conftest import Templates, made

Read = Callable[[Templates], Architecture]


def test_an_architecture_says_where_it_is_and_how_much_it_is(demo: Templates, read: Read) -> None:
    found = read(demo)

    assert (found.name, found.account, found.region, found.stacks) == ("demo", "111111111111", "eu-west-1", 5)
    assert len(found.resources) == sum(len(resources) for resources in demo.values())


def test_the_cluster_that_archer_runs_on_comes_first(demo: Templates, read: Read) -> None:
    other = {"cluster-b": {"Cluster": made("EKS::Cluster", Name="demo-b")}}

    assert [each.name for each in read({**other, **demo}).clusters] == ["demo-c", "demo-b"]
