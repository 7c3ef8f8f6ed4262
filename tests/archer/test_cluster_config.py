import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from archer.cluster_config import (
    SCHEMA_FILE,
    ClusterConfig,
    QueueView,
    image_for,
    load_cluster_config,
    parse_cluster_config,
    schema_text,
)
from archer.errors import InvalidClusterConfigError

NODE = {"architecture": "arm64", "node_vcpu": 16, "node_memory_mib": 65536, "max_nodes": 9, "local_disk": True}
VALID: dict[str, Any] = {
    "schema_version": 1,
    "environment": "lab",
    "region": "us-east-1",
    "job_retention_days": 30,
    "clusters": [
        {
            "name": "batch",
            "eks_name": "moka-lab-batch",
            "kubernetes_version": "1.35",
            "creates_per_minute": 100,
            "pools": [
                {"name": "d", "role": "driver", "capacity": "on_demand", "node_selector": {"p": "d"}, **NODE},
                {"name": "e", "role": "executor", "capacity": "spot", "node_selector": {"p": "e"}, **NODE},
            ],
        }
    ],
    "queues": {
        "default": "root.ads.tier3",
        "tree": [{"path": "root.ads", "leaf": False}, {"path": "root.ads.tier3", "leaf": True, "tier": "tier3"}],
    },
    "teams": [
        {
            "name": "ads",
            "namespace": "spark-ads",
            "service_account": "spark",
            "clusters": ["batch"],
            "queues": ["root.ads"],
            "quota": {"vcores": 8, "memory_gib": 64},
            "pods": 20,
        }
    ],
    "storage": {
        "event_logs": "s3://moka-lab-event-logs",
        "container_logs": "s3://moka-lab-container-logs",
        "artifacts": "s3://moka-lab-artifacts",
        "staging": "s3://moka-lab-staging",
    },
}

Change = Callable[[dict[str, Any]], Any]


def _problems(change: Change) -> list[str]:
    content = copy.deepcopy(VALID)
    change(content)
    with pytest.raises(InvalidClusterConfigError) as caught:
        parse_cluster_config(yaml.safe_dump(content))
    return [str(problem) for problem in caught.value.problems]


def test_a_valid_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "archer.yaml"
    file.write_text(yaml.safe_dump(VALID), encoding="utf-8")

    config = load_cluster_config(file)

    assert config.model_dump(mode="json", exclude_defaults=True) == VALID
    assert config.leaves == {"root.ads.tier3"}


def test_a_team_may_use_the_leaves_below_its_queues() -> None:
    content = copy.deepcopy(VALID)
    content["queues"]["tree"] += [{"path": "root.adsense", "leaf": True}]
    config = parse_cluster_config(yaml.safe_dump(content))
    team = config.teams[0]

    assert config.team_may_use(team, "root.ads.tier3")
    assert not config.team_may_use(team, "root.ads"), "a parent takes no jobs"
    assert not config.team_may_use(team, "root.adsense"), "the name only starts alike"
    assert not config.team_may_use(team, "root.ads.tier9"), "nobody defines it"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda c: c.update(schema_version=2),
            "`schema_version` must be one of 1, got 2; change it",
        ),
        (
            lambda c: c.pop("storage"),
            "`storage` must be present, got absent; add it",
        ),
        (
            lambda c: c.update(cluster=[]),
            (
                "`cluster` must be one of catalog, clusters, conf, environment, job_retention_days, profiles, queues, region, "
                "schema_version, spark_features, spark_images, storage, teams, got []; did you mean `clusters`?"
            ),
        ),
        (
            lambda c: c["clusters"][0].update(creates_per_minute=0),
            "`clusters.0.creates_per_minute` must be at least 1, got 0; change it",
        ),
        (
            lambda c: c["queues"].update(default="root.ads"),
            '`queues.default` must be a leaf of `queues.tree`, got "root.ads"; use one of root.ads.tier3',
        ),
        (
            lambda c: c["teams"][0].update(queues=["root.add"]),
            '`teams.0.queues` must be a path of `queues.tree`, got "root.add"; use one of root.ads, root.ads.tier3',
        ),
        (
            lambda c: c["teams"][0].update(clusters=["adhoc"]),
            '`teams.0.clusters` must be a name of `clusters`, got "adhoc"; use one of batch',
        ),
        (
            lambda c: c["teams"].append(c["teams"][0]),
            '`teams` must be a name that is there once, got "ads"; rename one of them',
        ),
        (
            lambda c: c["clusters"][0]["pools"].pop(),
            (
                '`clusters.0.pools` must be pools with at least one of role executor, got ["d"]; '
                "add a pool of role executor to cluster batch in the environment file"
            ),
        ),
        (
            lambda c: c.update(profiles=[{"name": "p", "driver": {"cores": 1, "memory": "1g", "instances": 2}}]),
            "`profiles.0.driver.instances` must be absent, got 2; remove it: a job has one driver",
        ),
        (
            lambda c: c.update(profiles=[{"name": "p", "executor": {"cores": 1, "memory": "100m"}}]),
            (
                '`profiles.0.executor.memory` must be between 512m and 4194304m, got "100m"; '
                "ask for an amount in that range"
            ),
        ),
        (
            lambda c: c.update(profiles=[{"name": "p", "conf": {"spark.driver.memory": "9g"}}]),
            (
                "`profiles.0.conf.spark.driver.memory` must be a key that Archer doesn't set itself, "
                'got "spark.driver.memory"; use the field `driver.memory` of the submission'
            ),
        ),
        (
            lambda c: c.update(teams=[]),
            "`teams` must be a list of at least one entry, got []; change it",
        ),
    ],
)
def test_a_problem_is_told_with_its_path_its_value_and_the_way_out(change: Change, problem: str) -> None:
    assert _problems(change) == [problem]


def test_all_problems_of_the_shape_are_told_at_once() -> None:
    def change(content: dict[str, Any]) -> None:
        content["region"] = ""
        content["clusters"][0]["kubernetes_version"] = "v1"
        content["teams"][0]["quota"]["vcores"] = -1
        content["storage"]["staging"] = "/tmp/staging"

    paths = [problem.split("`")[1] for problem in _problems(change)]
    assert paths == ["region", "clusters.0.kubernetes_version", "teams.0.quota.vcores", "storage.staging"]


def test_all_names_that_nobody_defines_are_told_at_once() -> None:
    def change(content: dict[str, Any]) -> None:
        content["queues"]["default"] = "root.x"
        content["teams"][0]["queues"] = ["root.y", "root.z"]
        content["teams"][0]["clusters"] = ["other"]

    assert len(_problems(change)) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "must be YAML (while parsing a flow node"),
        ("", "`(document)` must be"),
        ("- a\n- b\n", "`(document)` must be"),
        ("!!python/object/apply:os.getcwd []", "must be YAML (could not determine a constructor"),
    ],
)
def test_text_that_is_no_configuration_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidClusterConfigError) as caught:
        parse_cluster_config(text)

    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_told_with_the_setting_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidClusterConfigError) as caught:
        load_cluster_config(tmp_path / "archer.yaml")

    assert "No such file or directory" in str(caught.value)
    assert "point ARCHER_CONFIG or --config at an archer.yaml" in str(caught.value)


def test_a_file_that_is_wrong_is_named(tmp_path: Path) -> None:
    file = tmp_path / "archer.yaml"
    file.write_text("teams: []\n", encoding="utf-8")

    with pytest.raises(InvalidClusterConfigError) as caught:
        load_cluster_config(file)

    assert caught.value.file == str(file)
    assert len(caught.value.problems) > 1


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "archer.yaml"
    file.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(InvalidClusterConfigError, match="it is not UTF-8 text"):
        load_cluster_config(file)


def test_the_committed_json_schema_is_the_models() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run `python -m archer.cluster_config`"


def test_every_field_that_needs_one_has_a_description_in_the_schema() -> None:
    for name in ("ClusterView", "QueueView", "TeamView", "PoolView"):
        schema = ClusterConfig.model_json_schema()["$defs"][name]
        assert schema["description"], name
        assert any("description" in field for field in schema["properties"].values()), name


def test_the_schema_says_which_lists_must_hold_something() -> None:
    schema = ClusterConfig.model_json_schema()

    assert schema["properties"]["clusters"]["minItems"] == 1
    assert schema["$defs"]["TeamView"]["properties"]["queues"]["minItems"] == 1


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (
            lambda c: c.update(conf={"spark.kubernetes.driver.podTemplateFile": "x"}),
            "conf.spark.kubernetes.driver.podTemplateFile",
        ),
        (lambda c: c["teams"][0].update(conf={"spark.shuffle.manager": "x"}), "teams.0.conf.spark.shuffle.manager"),
        (
            lambda c: c.update(profiles=[{"name": "a", "conf": {"spark.a": "${b}"}}]),
            "profiles.0.conf.spark.a",
        ),
        (
            lambda c: c.update(profiles=[{"name": "a", "parameters": [{"name": "x"}, {"name": "x"}]}]),
            "profiles.0.parameters",
        ),
        (
            lambda c: c.update(
                profiles=[{"name": "a", "parameters": [{"name": "x", "type": "integer", "default": "y"}]}]
            ),
            "profiles.0.parameters.0.default",
        ),
        (lambda c: c["clusters"][0].update(access="kubeconfig"), "clusters.0.context"),
        (lambda c: c["clusters"][0].update(context="x"), "clusters.0.context"),
        (lambda c: c["clusters"][0].update(celeborn={"endpoints": []}), "clusters.0.celeborn.endpoints"),
    ],
)
def test_what_the_newer_fields_hold_is_checked_too(change: Change, path: str) -> None:
    (problem,) = _problems(change)

    assert problem.startswith(f"`{path}` must be")


def test_a_queues_weight_is_its_guarantee_unless_it_says_one() -> None:
    queue = {"path": "root.a", "leaf": True}
    guaranteed = {"vcores": 12, "memory_gib": 1}

    shares = [
        QueueView.model_validate({**queue, **more}).share
        for more in ({}, {"guaranteed": guaranteed}, {"guaranteed": guaranteed, "weight": 3})
    ]

    assert shares == [1, 12, 3]


@pytest.mark.parametrize(
    ("version", "image"),
    [(None, "a"), ("4.0.5", "a"), ("4.0", "a"), ("3.5", "b"), ("4.1", None), ("4", "a"), ("4.0.50", None)],
)
def test_an_image_is_found_by_its_spark_version_or_the_start_of_it(version: str | None, image: str | None) -> None:
    document = {
        **VALID,
        "spark_images": [{"spark_version": "4.0.5", "image": "a"}, {"spark_version": "3.5.6", "image": "b"}],
    }

    found = image_for(ClusterConfig.model_validate(document), version)

    assert (found and found.image) == image
