"""What can still be read of a broken file, so that its checks can be made."""

from collections.abc import Callable
from typing import Any

import pytest

from environments.network import NewNetwork
from environments.salvage import salvage

Edit = Callable[..., dict[str, Any]]


def test_a_valid_file_is_salvaged_whole(plain: Callable[[str], dict[str, Any]]) -> None:
    from environments.structure import read

    for name in ("test", "dev", "staging", "prod"):
        whole, _ = read(plain(name))
        assert salvage(plain(name)) == whole


def test_only_the_refused_field_is_absent(edited: Edit) -> None:
    made = salvage(edited("dev", {"clusters.0.pools.1.max_pods": "many"}))

    pool = made.clusters[0].pools[1]
    assert pool.name == "driver"
    assert pool.max_nodes_per_zone == 4
    with pytest.raises(AttributeError):
        _ = pool.max_pods


def test_an_item_that_is_no_mapping_keeps_its_place(edited: Edit) -> None:
    made = salvage(edited("dev", {"clusters.0.pools.0": "system"}))

    assert made.clusters[0].pools[1].name == "driver"
    with pytest.raises(AttributeError):
        _ = made.clusters[0].pools[0].name


def test_an_unknown_key_takes_nothing_away(edited: Edit) -> None:
    made = salvage(edited("dev", {"network.natt": 1}))

    assert isinstance(made.network, NewNetwork)
    assert made.network.nat == "single"


def test_a_missing_section_is_absent_and_an_optional_one_has_its_default(edited: Edit) -> None:
    made = salvage(edited("dev", remove=["storage", "delivery"]))

    assert made.delivery.registry == "account"
    with pytest.raises(AttributeError):
        _ = made.storage


def test_a_union_without_a_known_tag_is_absent(edited: Edit) -> None:
    made = salvage(edited("dev", {"network.mode": "old"}))

    with pytest.raises(AttributeError):
        _ = made.network
