"""Loading: by name, by path, several at once, and what is said of a file that cannot be used."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from environments import EnvironmentFileError, check_together, environment_names, examine, load, load_all
from environments.document import parse
from environments.loading import FOLDER, judge

Edit = Callable[..., dict[str, Any]]


def _write(folder: Path, data: dict[str, Any], name: str = "case.yaml") -> Path:
    file = folder / name
    file.write_text(json.dumps(data), encoding="utf-8")
    return file


def test_an_environment_is_loaded_by_its_name() -> None:
    environment = load("dev")

    assert environment.name == "dev"
    assert environment.clusters[0].pools[0].name == "system"


def test_an_environment_is_loaded_by_a_path(tmp_path: Path, edited: Edit) -> None:
    file = _write(tmp_path, edited("dev", {"name": "mine"}))

    assert load(file).name == "mine"
    assert load(str(file)).name == "mine"


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(EnvironmentFileError) as refused:
        load("prd")

    (problem,) = refused.value.problems
    assert problem.value == '"prd"'
    assert problem.allowed == "one of dev, prod, staging, test, or a path that ends with .yaml"
    assert problem.fix == "write prod"


@pytest.mark.parametrize(
    ("make", "value"),
    [
        (lambda path: path.mkdir(), "is a directory"),
        (lambda _: None, "no such file or directory"),
        (lambda path: path.symlink_to(path), "too many levels of symbolic links"),
    ],
)
def test_a_file_that_cannot_be_opened_is_a_problem(make: Callable[[Path], object], value: str, tmp_path: Path) -> None:
    file = tmp_path / "case.yaml"
    make(file)

    (problem,) = examine(file).problems

    assert (problem.file, problem.line, problem.path, problem.value) == (str(file), None, "", value)
    assert problem.fix == "check the path and its permissions"


def test_a_path_with_a_null_byte_is_a_problem() -> None:
    (problem,) = examine("a\0b.yaml").problems

    assert "null" in problem.value


def test_text_shape_and_rules_are_told_together_in_the_order_of_the_file() -> None:
    text = (FOLDER / "dev.yaml").read_text(encoding="utf-8")
    text = text.replace("name: dev\n", "name: dev\nname: again\n", 1)
    text = text.replace("nat: single", "natt: single", 1)
    text = text.replace("cluster: batch\n  endpoint", "cluster: bach\n  endpoint", 1)

    problems = judge(parse("case.yaml", text.encode())).problems

    assert [problem.path for problem in problems] == ["name", "network.natt", "archer.cluster"]
    lines = [problem.line or 0 for problem in problems]
    assert lines == sorted(lines)
    assert "name: again" in text.splitlines()[lines[0] - 1]
    assert "natt: single" in text.splitlines()[lines[1] - 1]
    assert "cluster: bach" in text.splitlines()[lines[2] - 1]


PLANTED = {
    "account": 111111111111,
    "network.cidr": "10.40.0.1/20",
    "network.interface_endpoints.2": "sqs",
    "clusters.0.access.0.policy": "view",
    "clusters.0.pools.0.min_nodes_per_zone": 0,
    "clusters.0.pools.1.max_nodes_per_zone": "4",
    "clusters.0.pools.2.instance_types.1": "r7gd.4xlrge",
    "teams.1.queues.0": "root.shard",
    "queues.tree.0.queues.0.queues.0.guaranteed": {"vcores": 500, "memory_gib": 480},
    "storage.event_log_dayz": 7,
    "schedules.0.pool": "executors",
    "schedules.1.timezone": "Mars/Olympus",
}


def test_many_planted_problems_of_every_kind_are_all_told_by_the_command(tmp_path: Path, edited: Edit) -> None:
    file = _write(tmp_path, edited("dev", PLANTED))

    done = subprocess.run(
        [sys.executable, "-m", "environments", "check", str(file), "--output", "json"],
        cwd=FOLDER.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "Traceback" not in done.stderr + done.stdout
    told = {problem["path"] for problem in json.loads(done.stdout)["problems"] if problem["level"] == "error"}
    assert told == {
        "account",
        "network.cidr",
        "network.interface_endpoints[2]",
        "clusters[batch].access",
        "clusters[batch].pools[system].min_nodes_per_zone",
        "clusters[batch].pools[driver].max_nodes_per_zone",
        "clusters[batch].pools[executor].instance_types[1]",
        "teams[shared].queues[0]",
        "queues.tree[ads].guaranteed",
        "queues.tree[ads].queues[ctr].queues[tier1].guaranteed",
        "storage.event_log_dayz",
        "schedules[executors-off-at-night].pool",
        "schedules[executors-on-in-the-morning].timezone",
    }


def test_one_broken_pool_does_not_silence_the_checks_of_the_others(edited: Edit, judged: Any) -> None:
    report = judged(edited("dev", {"clusters.0.pools.1": "driver", "clusters.0.pools.2.min_nodes_per_zone": 99}))

    assert [problem.path for problem in report.errors] == [
        "clusters[batch].pools[1]",
        "clusters[batch].pools[executor].min_nodes_per_zone",
    ]


def test_a_shipped_file_must_have_the_name_of_its_environment(plain: Callable[[str], Any]) -> None:
    document = parse("environments/prod.yaml", json.dumps(plain("dev")).encode())

    (problem,) = judge(document, expected_name="prod").problems

    assert (problem.path, problem.value, problem.allowed) == ("name", '"dev"', "prod, the file's name")
    assert problem.fix == "write name: prod, or rename the file to dev.yaml"


def test_networks_of_two_environments_that_overlap_are_refused(tmp_path: Path, edited: Edit) -> None:
    dev = _write(tmp_path, edited("dev"), "dev.yaml")
    mine = _write(tmp_path, edited("dev", {"name": "mine", "network.cidr": "10.40.8.0/21"}), "mine.yaml")

    with pytest.raises(EnvironmentFileError) as refused:
        load_all([dev, mine])

    (problem,) = refused.value.problems
    assert problem.file == str(mine)
    assert problem.path == "network.cidr"
    assert problem.allowed == "apart from 10.40.0.0/20 of environment dev, so that the two can be connected"


def test_pod_ranges_of_two_environments_may_repeat() -> None:
    environments = load_all(["dev", "test"])

    assert environments[0].network.mode == environments[1].network.mode == "new"
    assert check_together(environments) == []


def test_two_environments_of_one_name_in_one_account_are_refused(tmp_path: Path, edited: Edit) -> None:
    first = _write(tmp_path, edited("dev"), "first.yaml")
    second = _write(tmp_path, edited("dev", {"network.cidr": "10.96.0.0/20"}), "second.yaml")

    with pytest.raises(EnvironmentFileError, match="a name that no other environment of the account and region has"):
        load_all([first, second])


def test_environments_of_one_existing_vpc_share_its_ranges(tmp_path: Path, edited: Edit) -> None:
    first = _write(tmp_path, edited("staging"), "first.yaml")
    second = _write(tmp_path, edited("staging", {"name": "canary"}), "second.yaml")

    assert [environment.name for environment in load_all([first, second])] == ["staging", "canary"]


def test_the_problems_of_several_files_come_together(tmp_path: Path, edited: Edit) -> None:
    first = _write(tmp_path, edited("dev", {"archer.cluster": "x"}), "first.yaml")
    second = _write(tmp_path, edited("staging", {"archer.cluster": "y"}), "second.yaml")

    with pytest.raises(EnvironmentFileError) as refused:
        load_all([first, second])

    assert [problem.file for problem in refused.value.problems] == [str(first), str(second)]
    assert "Traceback" not in str(refused.value)
    assert str(refused.value).endswith("2 errors")


def test_a_warning_does_not_refuse_a_file(tmp_path: Path, edited: Edit) -> None:
    file = _write(tmp_path, edited("dev", {"clusters.0.pools.1.instance_types": ["m6g.2xlarge"]}))

    report = examine(file)

    assert [problem.level for problem in report.problems] == ["warning"]
    assert report.environment == load(file)


def test_every_shipped_environment_is_known() -> None:
    assert environment_names() == ("dev", "prod", "staging", "test")
