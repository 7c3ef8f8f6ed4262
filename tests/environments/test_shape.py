"""What the model says about key paths."""

from collections.abc import Callable
from typing import Any

import pytest

from environments.clusters import Pool
from environments.model import Environment
from environments.network import ExistingNetwork, ExistingSubnet, NewNetwork
from environments.shape import discriminator, section_at, sections
from environments.tenancy import Queue


@pytest.mark.parametrize(
    ("name", "path", "section"),
    [
        ("dev", (), Environment),
        ("dev", ("network",), NewNetwork),
        ("staging", ("network",), ExistingNetwork),
        ("staging", ("network", "subnets", 1), ExistingSubnet),
        ("dev", ("clusters", 0, "pools", 2), Pool),
        ("dev", ("queues", "tree", 0, "queues", 0, "queues", 1), Queue),
        ("dev", ("clusters", 0, "nope"), None),
        ("dev", ("account",), None),
        ("dev", ("tags", "owner"), None),
    ],
)
def test_the_section_at_a_path(name: str, path: Any, section: object, plain: Callable[[str], Any]) -> None:
    assert section_at(path, plain(name)) is section


def test_a_union_without_its_tag_is_no_section() -> None:
    assert section_at(("network",), {"network": {"mode": "old"}}) is None


def test_a_discriminator_is_a_field_with_one_value() -> None:
    assert discriminator(NewNetwork) == ("mode", ("new",))


def test_every_section_is_found_once() -> None:
    found = sections()

    assert found[0] is Environment
    assert len(found) == len(set(found)) > 25
    assert {Pool, Queue, ExistingSubnet} <= set(found)
