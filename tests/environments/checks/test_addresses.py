"""Room for pools: exactly as much as they can take is allowed, one node more is not."""

from collections.abc import Callable

import pytest

from environments.checks.addresses import room_for_pools
from environments.model import Environment

Make = Callable[..., Environment]

# test.yaml with a /20 per zone: 254 blocks; system 2 x 9 and driver 2 x 4 leave 228 for executors of 4 blocks: 57 nodes
ROOM = {"network.pod_cidrs": ["100.64.0.0/20", "100.64.16.0/20"]}


@pytest.mark.parametrize(("nodes", "fits"), [(57, True), (58, False)])
def test_a_zone_has_room_up_to_its_last_block(nodes: int, *, fits: bool, environment: Make) -> None:
    made = environment("test", {**ROOM, "clusters.0.pools.2.max_nodes_per_zone": nodes})

    assert (list(room_for_pools(made)) == []) is fits


def test_what_a_schedule_may_add_counts(environment: Make) -> None:
    schedule = {
        "name": "night",
        "cluster": "lab",
        "pool": "executor",
        "cron": "0 20 ? * * *",
        "timezone": "UTC",
        "min_nodes_per_zone": 0,
        "max_nodes_per_zone": 58,
    }

    (finding,) = room_for_pools(environment("test", {**ROOM, "schedules": [schedule]}))

    assert finding.value == "254 blocks of 16 addresses for nodes in us-west-2a, too few in us-west-2b too"
    assert finding.allowed == (
        "at least 258 blocks in us-west-2a: each node takes one per 16 of its max_pods, one more, and breaks one by its own address"
    )


def test_a_pool_counts_only_in_its_zones(environment: Make) -> None:
    changes = {**ROOM, "clusters.0.pools.2.max_nodes_per_zone": 58, "clusters.0.pools.2.zones": ["us-west-2b"]}

    (finding,) = room_for_pools(environment("test", changes))

    assert finding.value == "254 blocks of 16 addresses for nodes in us-west-2b"


def test_all_clusters_share_the_room(environment: Make) -> None:
    changes = {**ROOM, "clusters.0.pools.2.max_nodes_per_zone": 28}
    copy = {"of": "clusters.0", "to": "clusters", "changes": {"name": "second"}}

    assert list(room_for_pools(environment("test", changes))) == []
    made = environment("test", {**ROOM, "clusters.1.pools.2.max_nodes_per_zone": 50}, duplicate=copy)
    assert len(list(room_for_pools(made))) == 1
