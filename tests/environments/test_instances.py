"""The dated table of instance types, against botocore and the shipped files."""

import json
import re

import pytest

from environments import environment_names, load
from environments.instances import (
    TABLE,
    alike,
    instance_types,
    offered_in,
    regions,
    table_date,
    zone_ids,
    zone_ids_without_eks,
)


def test_botocore_knows_every_type() -> None:
    import botocore.session  # type: ignore[import-untyped]  # botocore ships no types

    model = botocore.session.get_session().get_service_model("ec2")
    known = set(model.shape_for("InstanceType").enum)

    assert set(instance_types()) - known == set()


def test_the_table_has_the_families_that_pools_are_made_of() -> None:
    families = {name.split(".")[0] for name in instance_types()}

    assert {"m8g", "m8gd", "r8g", "r8gd", "c8gd", "i8g", "m8i", "r8i", "r8id", "m7g", "r7gd", "r6gd"} <= families
    assert len(instance_types()) > 500


@pytest.mark.parametrize(
    ("name", "shape", "nvme", "generation"),
    [
        ("m8g.xlarge", (4, 16 * 1024, "arm64"), 0, 8),
        ("r8gd.4xlarge", (16, 128 * 1024, "arm64"), 950, 8),
        ("r8id.4xlarge", (16, 128 * 1024, "amd64"), 950, 8),
        ("i8g.4xlarge", (16, 128 * 1024, "arm64"), 3750, 8),
        ("m6g.large", (2, 8 * 1024, "arm64"), 0, 6),
    ],
)
def test_a_type_has_its_known_shape(name: str, shape: tuple[int, int, str], nvme: int, generation: int) -> None:
    found = instance_types()[name]

    assert found.shape == shape
    assert (found.nvme_gb, found.generation) == (nvme, generation)
    assert 0 < found.price < 100
    assert found.network_mbps > 0


def test_every_type_is_offered_somewhere_and_only_in_known_zones() -> None:
    zones = {region: set(zone_ids(region)) for region in regions()}

    for name in instance_types():
        offered = {region: offered_in(name, region) for region in regions()}
        assert any(offered.values()), name
        assert all(offered[region] <= zones[region] for region in regions()), name


def test_a_zone_of_a_region_may_lack_a_type() -> None:
    assert offered_in("i8g.4xlarge", "us-east-1") == {"use1-az1", "use1-az2", "use1-az4", "use1-az6"}
    assert offered_in("i8g.48xlarge", "eu-central-1") == frozenset()
    assert offered_in("i8g.4xlarge", "mars-north-1") == frozenset()
    assert offered_in("nope.large", "us-east-1") == frozenset()


def test_zones_without_eks_are_known_by_id() -> None:
    assert zone_ids_without_eks("us-east-1") == ("use1-az3",)
    assert zone_ids_without_eks("eu-west-1") == ()
    assert zone_ids("mars-north-1") == ()


def test_types_alike_share_shape_and_are_newest_first() -> None:
    names = [other.name for other in alike("r8gd.4xlarge", "us-east-1", same_nvme=True)]

    assert names == ["r8gd.4xlarge", "r7gd.4xlarge", "r6gd.4xlarge"]


def test_the_table_names_its_date_and_sources_and_stays_small() -> None:
    table = json.loads(TABLE.read_text(encoding="utf-8"))

    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", table_date())
    assert all("https://" in source for source in table["sources"].values())
    assert TABLE.stat().st_size < 400_000


@pytest.mark.parametrize("name", environment_names())
def test_every_pool_of_a_shipped_file_is_made_of_known_types(name: str) -> None:
    for cluster in load(name).clusters:
        for pool in cluster.pools:
            assert set(pool.instance_types) <= set(instance_types()), f"{cluster.name}/{pool.name}"
