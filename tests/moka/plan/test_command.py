"""`moka plan` as people call it, on an assembly that exists already, and with input that it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from environments import environment_names
from moka.cli import main


def moka(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int | str | None, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["plan", *arguments])
    said = capsys.readouterr()
    return end.value.code, said.out, said.err


def test_json_has_stacks_resources_critical_path_and_order(
    demo_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = moka(capsys, "demo", "--assembly", str(demo_folder), "--output", "json", "--concurrency", "1")

    plan = json.loads(out)
    assert code == 0
    assert (plan["total_seconds"], plan["fastest_seconds"], plan["one_after_another_seconds"]) == (1110, 1090, 1110)
    assert (plan["concurrency"], plan["least_concurrency_of_fastest"]) == (1, 2)
    assert {each["name"]: (each["wave"], each["start"], each["finish"]) for each in plan["stacks"]} == {
        "network": (1, 0, 80),
        "data": (1, 80, 100),
        "cluster-c": (2, 100, 660),
        "archer": (3, 660, 1110),
    }
    assert [(each["stack"], each["logical_id"], each["done_at"]) for each in plan["critical_path"]] == [
        ("network", "Key", 20),
        ("network", "Alias", 80),
        ("cluster-c", "Key12345678", 100),
        ("cluster-c", "Cluster", 640),
        ("archer", "Database", 1090),
    ]
    assert all(each["source"].startswith("https://") for each in plan["critical_path"])
    cluster = next(each for each in plan["stacks"][2]["resources"] if each["logical_id"] == "Cluster")
    assert (cluster["needs"], cluster["seconds"], cluster["basis"]) == (["Key12345678", "Role"], 540, "stated")
    assert [step["seconds"] for step in plan["deploy_order"]] == [660, None, 450]


def test_text_is_what_people_get(demo_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = moka(capsys, "demo", "--assembly", str(demo_folder))

    assert (code, out.splitlines()[0]) == (0, "Plan of demo (111111111111, us-east-1)")


def test_unknown_environment_is_refused_before_any_synth(capsys: pytest.CaptureFixture[str]) -> None:
    assert moka(capsys, "qa") == (2, "", f"moka: `ENV` must be one of {', '.join(environment_names())}, got 'qa'\n")


def test_an_environment_that_the_assembly_lacks_is_refused(
    demo_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = moka(capsys, "dev", "--assembly", str(demo_folder))

    assert refused == (2, "", "moka: `ENV` must be one of demo, got 'dev'\n")


@pytest.mark.parametrize("number", ["0", "-3"])
def test_fewer_than_one_stack_at_a_time_is_refused(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    refused = moka(capsys, "dev", "--concurrency", number)

    assert refused == (
        2,
        "",
        f"moka: `--concurrency` must be at least 1, got {number}; leave it out for as many as can\n",
    )


def test_a_folder_that_is_no_assembly_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = moka(capsys, "dev", "--assembly", str(tmp_path))

    assert (code, out) == (2, "")
    assert err.startswith(f"moka: `--assembly` must be a cloud assembly: {tmp_path}/manifest.json cannot be read")
