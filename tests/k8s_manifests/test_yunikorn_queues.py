"""What YuniKorn reads, held against what the authors of the environment files wrote."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from environments import Environment, environment_names, load

FIELDS = {
    "partition": {"name", "nodesortpolicy", "preemption", "placementrules", "limits", "queues"},
    "rule": {"name", "create", "value"},
    "limit": {"limit", "users", "maxapplications", "maxresources"},
    "queue": {"name", "submitacl", "maxapplications", "properties", "resources", "queues"},
    "resources": {"guaranteed", "max"},
}
"""Fields of YuniKorn's own structs that may be used; it refuses the whole text for one that it does not know:
https://github.com/apache/yunikorn-core/blob/v1.9.0-0/pkg/common/configs/config.go."""
PROPERTIES = {
    "application.sort.policy",
    "preemption.policy",
    "preemption.delay",
    "quota.preemption.delay",
    "priority.offset",
}
"""Properties of queues; a misspelt one passes in silence: pkg/common/configs/configs.go of the same tag."""


def partition(rendered: Any) -> dict[str, Any]:
    """The one partition of the rendered configuration."""
    data = rendered.one("ConfigMap", "yunikorn-configs", "moka-yunikorn")["data"]
    (found,) = yaml.safe_load(data["queues.yaml"])["partitions"]
    read: dict[str, Any] = found
    return read


def walk(queue: dict[str, Any], path: str = "root") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every queue with its path."""
    yield path, queue
    for child in queue.get("queues", ()):
        yield from walk(child, f"{path}.{child['name']}")


def queues(rendered: Any) -> dict[str, dict[str, Any]]:
    """Every queue of the rendered tree by its path."""
    (root,) = partition(rendered)["queues"]
    return dict(walk(root))


def written(raw: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every queue as the file's author wrote it, by its path; `root` is not written."""
    found = dict(walk({"name": "root", "queues": raw["queues"]["tree"]}))
    del found["root"]
    return found


def test_every_cluster_gets_every_queue_of_the_file_and_no_other(
    every_cluster: list[Any], raw_environments: dict[str, Any]
) -> None:
    for rendered in every_cluster:
        wanted = set(written(raw_environments[rendered.environment.name]))
        assert set(queues(rendered)) == wanted | {"root"}
        assert all(path.count(".") <= 3 for path in wanted), "root.<org>.<project>.<tier>"


def test_amounts_applications_and_policies_are_the_files(
    every_cluster: list[Any], raw_environments: dict[str, Any]
) -> None:
    for rendered in every_cluster:
        mine = queues(rendered)
        for path, wanted in written(raw_environments[rendered.environment.name]).items():
            found, properties = mine[path], mine[path].get("properties", {})
            for kind in ("guaranteed", "max"):
                amount = wanted.get(kind)
                said = found.get("resources", {}).get(kind)
                assert said == (amount and {"vcore": str(amount["vcores"]), "memory": f"{amount['memory_gib']}Gi"}), (
                    path
                )
            assert found.get("maxapplications") == wanted.get("max_applications"), path
            assert properties.get("preemption.policy") == wanted.get("preemption"), path
            assert properties.get("priority.offset", "0") == str(wanted.get("priority_offset", 0)), path
            delay, quota_delay = wanted.get("preemption_delay_seconds"), wanted.get("quota_preemption_delay_seconds")
            assert properties.get("preemption.delay") == (delay and f"{delay}s"), path
            assert properties.get("quota.preemption.delay") == (quota_delay and f"{quota_delay}s"), path
            sort = wanted.get("sort", "fair") if "queues" not in wanted else None
            assert properties.get("application.sort.policy") == sort, f"{path}: YuniKorn's own default is fifo"


def test_nothing_is_said_in_words_that_yunikorn_does_not_know(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        found = partition(rendered)
        assert set(found) <= FIELDS["partition"]
        assert all(set(rule) <= FIELDS["rule"] for rule in found["placementrules"])
        assert all(set(limit) <= FIELDS["limit"] for limit in found.get("limits", ()))
        for path, queue in queues(rendered).items():
            assert set(queue) <= FIELDS["queue"], path
            assert set(queue.get("properties", {})) <= PROPERTIES, path
            assert all(isinstance(value, str) for value in queue.get("properties", {}).values()), path
            assert set(queue.get("resources", {})) <= FIELDS["resources"], path


def test_there_is_one_partition_with_nodes_filled_up_and_both_preemptions(dev: Any) -> None:
    found = partition(dev)

    assert found["name"] == "default"
    assert found["nodesortpolicy"] == {"type": "binpacking"}
    assert found["preemption"] == {"enabled": True, "quotapreemptionenabled": True}


def test_root_carries_no_resources_and_lets_everybody_submit(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        root = queues(rendered)["root"]
        assert set(root) == {"name", "submitacl", "queues"}
        assert root["submitacl"] == "*"


def test_jobs_go_where_they_say_and_else_to_a_queue_that_exists_and_none_is_ever_made(
    every_cluster: list[Any], raw_environments: dict[str, Any]
) -> None:
    for rendered in every_cluster:
        provided, last = partition(rendered)["placementrules"]
        assert provided == {"name": "provided", "create": False}
        assert last == {"name": "fixed", "value": raw_environments[rendered.environment.name]["queues"]["default"]}
        assert "queues" not in queues(rendered)[last["value"]], "only a leaf takes jobs"


def test_a_user_is_limited_when_the_file_says_so(every_cluster: list[Any], raw_environments: dict[str, Any]) -> None:
    for rendered in every_cluster:
        wanted = raw_environments[rendered.environment.name]["queues"].get("user_limit")
        if wanted is None:
            assert "limits" not in partition(rendered)
            continue
        (limit,) = partition(rendered)["limits"]
        assert limit["users"] == ["*"]
        assert limit["maxapplications"] == wanted["max_applications"]
        amount = wanted["max"]
        assert limit["maxresources"] == {"vcore": str(amount["vcores"]), "memory": f"{amount['memory_gib']}Gi"}


def test_a_parent_with_most_applications_has_children_with_it(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        for path, queue in queues(rendered).items():
            for child in queue.get("queues", ()) if "maxapplications" in queue else ():
                assert child["maxapplications"] <= queue["maxapplications"], f"{path}.{child['name']}"


def test_guarantees_and_maxima_fit_into_those_above(every_cluster: list[Any]) -> None:
    def fits(inner: dict[str, str], outer: dict[str, str]) -> bool:
        return all(int(inner[key].rstrip("Gi")) <= int(outer[key].rstrip("Gi")) for key in inner)

    for rendered in every_cluster:
        tree = queues(rendered)
        for path, queue in tree.items():
            own = queue.get("resources", {})
            assert "max" not in own or "guaranteed" not in own or fits(own["guaranteed"], own["max"]), path
            above = [tree[path[:end]] for end in range(len(path)) if path[end] == "."]
            for each in above:
                limit = each.get("resources", {}).get("max")
                assert limit is None or "max" not in own or fits(own["max"], limit), path


def test_tier_1_is_never_a_victim_and_has_a_guarantee_without_which_it_could_not_preempt(
    every_cluster: list[Any],
) -> None:
    tiers = [queue for rendered in every_cluster for path, queue in queues(rendered).items() if path.endswith(".tier1")]

    assert tiers
    for queue in tiers:
        assert queue["properties"]["preemption.policy"] == "disabled"
        assert "guaranteed" in queue["resources"]


def test_a_delay_of_preemption_stands_on_leaves_alone(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        for path, queue in queues(rendered).items():
            if "preemption.delay" in queue.get("properties", {}):
                assert "queues" not in queue, path


def test_a_path_fits_into_a_label(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        assert all(len(path) <= 63 for path in queues(rendered))


@pytest.mark.parametrize("name", environment_names())
def test_what_archer_admits_is_what_yunikorn_has(name: str, every_cluster: list[Any]) -> None:
    from k8s_manifests import archer_config

    rendered = next(each for each in every_cluster if each.environment.name == name)
    told = archer_config(load(name))["queues"]

    assert {queue["path"] for queue in told["tree"]} == set(queues(rendered)) - {"root"}
    assert told["default"] == partition(rendered)["placementrules"][-1]["value"]


def test_a_queue_with_nothing_to_say_says_nothing(
    dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    tree = [{"name": "a", "queues": [{"name": "b", "queues": [{"name": "tier2"}]}]}]
    rendered = render(dev_with(queues={"default": "root.a.b.tier2", "tree": tree}))

    assert queues(rendered)["root.a.b.tier2"] == {"name": "tier2", "properties": {"application.sort.policy": "fair"}}
    assert set(queues(rendered)["root.a"]) == {"name", "queues"}
