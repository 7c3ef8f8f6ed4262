from __future__ import annotations

import pytest

from moka.plan.times import CREATION_TIMES, UNKNOWN, Basis, typical


def test_every_figure_that_is_no_estimate_has_an_address() -> None:
    assert [each.kind for each in CREATION_TIMES if each.basis is not Basis.ESTIMATE and not each.source] == []
    assert [each.kind for each in CREATION_TIMES if each.source and not each.source.startswith("https://")] == []
    assert [each.kind for each in CREATION_TIMES if each.seconds < 1 or not each.how] == []


def test_no_entry_is_hidden_by_an_earlier_one() -> None:
    seen: set[str] = set()
    for each in CREATION_TIMES:
        assert each.kind not in seen, f"{each.kind} never applies"
        if each.applies is None:
            seen.add(each.kind)


def test_every_restriction_says_in_words_what_it_is() -> None:
    assert all(bool(each.only) == (each.applies is not None) for each in CREATION_TIMES)


@pytest.mark.parametrize(
    ("scaling", "seconds"),
    [({"MinSize": 0, "MaxSize": 4}, 60), ({"MinSize": 1}, 115), ({"MinSize": 0, "DesiredSize": 2}, 115), ({}, 60)],
)
def test_a_node_group_without_nodes_is_there_sooner(scaling: dict[str, int], seconds: int) -> None:
    assert typical("AWS::EKS::Nodegroup", {"ScalingConfig": scaling}).seconds == seconds


def test_an_interface_endpoint_takes_longer_than_a_gateway() -> None:
    gateway, interface = (
        typical("AWS::EC2::VPCEndpoint", {"VpcEndpointType": kind}).seconds for kind in ("Gateway", "Interface")
    )

    assert gateway < interface


def test_custom_resources_of_any_name_are_known_and_other_types_say_that_they_are_not() -> None:
    assert typical("Custom::MokaAutoScalingTags", {}).seconds == 30
    assert typical("Custom::Anything", {}).kind == "Custom::*"
    assert typical("AWS::Quantum::Entangler", {}) is UNKNOWN
    assert UNKNOWN.basis is Basis.ESTIMATE
