import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

import environments
from archer.cluster_config import load_cluster_config
from environments import Environment, environment_names, load
from k8s_manifests import build_charts
from moka import render as moka_render
from moka.cli import application
from moka.errors import BadInputError, MokaError

DEV = Path(environments.__file__).with_name("dev.yaml")
FILES = [component.file_name for component in build_charts(load("dev"), load("dev").clusters[0])]
"""In order; which they must be is said where charts are assembled."""


@pytest.fixture
def run() -> Callable[..., Result]:
    """Run `moka render` in this process; errors of moka are raised, as they are to `moka.cli.main`."""

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(
            application("render"), ["render", *map(str, words)], catch_exceptions=False, standalone_mode=True
        )

    return invoke


@pytest.fixture
def moka() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the real program."""

    def invoke(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "moka.cli", *map(str, words)],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return invoke


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_command_writes_every_file_and_prints_its_path(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("dev", "--output", tmp_path)

    expected = [tmp_path / "dev" / "archer.yaml", *(tmp_path / "dev" / "batch" / name for name in FILES)]
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [str(path) for path in expected]
    assert sorted(_tree(tmp_path)) == sorted(str(path.relative_to(tmp_path)) for path in expected)


def test_the_program_needs_no_aws_no_home_and_no_node_of_the_system(
    moka: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    nowhere = "http://127.0.0.1:9"

    done = moka(
        "render",
        "dev",
        "-o",
        tmp_path,
        PATH="",
        HOME="/nonexistent",
        AWS_ACCESS_KEY_ID="",
        HTTP_PROXY=nowhere,
        HTTPS_PROXY=nowhere,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1 + len(FILES)


def test_a_second_render_changes_no_byte_and_touches_no_file(tmp_path: Path) -> None:
    environment = load("dev")
    paths = moka_render.render(environment, tmp_path)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in paths}

    moka_render.render(environment, tmp_path)

    assert {path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in paths} == before


def test_every_cluster_of_every_environment_has_its_folder(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("--all", "-o", tmp_path)

    assert result.exit_code == 0
    folders = {f"{path.parent.parent.name}/{path.parent.name}" for path in tmp_path.glob("*/*/00-crds.yaml")}
    assert folders == {f"{name}/{cluster.name}" for name in environment_names() for cluster in load(name).clusters}


def test_each_file_says_where_it_comes_from_and_can_be_read_by_others(tmp_path: Path) -> None:
    for path in moka_render.render(load("dev"), tmp_path):
        first, rest = path.read_text(encoding="utf-8").split("\n", 1)
        assert first == (
            "# Rendered by `moka render` from environment dev: change the environment file or the charts, not this file."
        )
        assert list(yaml.safe_load_all(rest))
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_archer_can_read_its_file(tmp_path: Path) -> None:
    moka_render.render(load("dev"), tmp_path)

    config = load_cluster_config(tmp_path / "dev" / "archer.yaml")
    assert config.environment == "dev"
    assert "root.shared.adhoc.tier3" in config.leaves


def test_files_of_an_earlier_render_go_and_files_of_others_stay(tmp_path: Path) -> None:
    environment = load("dev")
    moka_render.render(environment, tmp_path)
    old_component = tmp_path / "dev" / "batch" / "30-gone.yaml"
    old_cluster = tmp_path / "dev" / "closed" / "00-crds.yaml"
    old_cluster.parent.mkdir()
    for path in (old_component, old_cluster):
        path.write_text("# Rendered by `moka render` from somewhere\na: 1\n", encoding="utf-8")
    theirs = tmp_path / "dev" / "batch" / "kustomization.yaml"
    theirs.write_text("resources: []\n", encoding="utf-8")

    moka_render.render(environment, tmp_path)

    assert not old_component.exists()
    assert not old_cluster.parent.exists()
    assert theirs.read_text(encoding="utf-8") == "resources: []\n"


def test_one_cluster_can_be_rendered_and_the_others_are_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "dev" / "other" / "00-crds.yaml"
    other.parent.mkdir(parents=True)
    other.write_text("# Rendered by `moka render` from somewhere\n", encoding="utf-8")

    paths = moka_render.render(load("dev"), tmp_path, ["batch"])

    assert {path.parent.name for path in paths} == {"dev", "batch"}
    assert other.exists()


def test_an_unknown_cluster_is_refused_with_those_that_exist(run: Callable[..., Result], tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="`--cluster` must be one of batch, got adhoc2"):
        run("dev", "--cluster", "adhoc2", "-o", tmp_path)
    assert _tree(tmp_path) == {}


def test_an_unknown_environment_ends_with_2_and_says_which_there_are(
    moka: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    done = moka("render", "develop", "-o", tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert all(name in done.stderr for name in (*environment_names(), "develop"))
    assert "Traceback" not in done.stderr
    assert _tree(tmp_path) == {}


def test_a_bad_file_ends_with_2_tells_every_problem_and_writes_nothing(
    moka: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.yaml"
    content = yaml.safe_load(DEV.read_text(encoding="utf-8"))
    content["region"] = "Mars"
    content["teams"][0]["quota"]["pods"] = "many"
    bad.write_text(yaml.safe_dump(content), encoding="utf-8")

    # the good one is named first: it must not be written either
    done = moka("render", "dev", bad, "-o", tmp_path / "dist")

    assert (done.returncode, done.stdout) == (2, "")
    assert "Mars" in done.stderr
    assert "many" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "dist").exists()


def test_a_file_elsewhere_is_rendered_under_its_environments_name(run: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    content = {**yaml.safe_load(DEV.read_text(encoding="utf-8")), "name": "mine"}
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    result = run(file, "-o", tmp_path / "dist")

    assert result.exit_code == 0
    namespaces = (tmp_path / "dist" / "mine" / "batch" / "10-namespaces.yaml").read_text(encoding="utf-8")
    assert "moka.dev/environment: mine" in namespaces


@pytest.mark.parametrize(("words", "given"), [((), "neither"), (("dev", "--all"), "both")])
def test_environments_are_named_or_all_are_meant(
    run: Callable[..., Result], words: tuple[str, ...], given: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInputError, match=f"or --all alone, got {given}"):
        run(*words, "-o", tmp_path)


def test_an_environment_named_twice_is_rendered_once(run: Callable[..., Result], tmp_path: Path) -> None:
    assert len(run("dev", "dev", "-o", tmp_path).stdout.splitlines()) == 1 + len(FILES)


def test_a_folder_that_cannot_be_written_to_is_told_without_a_stack_trace(
    moka: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()

    done = moka("render", "dev", "-o", file)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"moka: `--output` must be a folder that can be written to, got {file} (")
    assert done.stderr.count("\n") == 1


def test_check_is_content_after_a_render_and_writes_nothing(run: Callable[..., Result], tmp_path: Path) -> None:
    run("dev", "-o", tmp_path)
    before = _tree(tmp_path)

    result = run("dev", "-o", tmp_path, "--check")

    assert (result.exit_code, result.stdout) == (0, "")
    assert _tree(tmp_path) == before


def test_check_names_each_file_that_is_missing_changed_or_left_over(run: Callable[..., Result], tmp_path: Path) -> None:
    run("dev", "-o", tmp_path)
    folder = tmp_path / "dev" / "batch"
    (folder / "00-crds.yaml").unlink()
    (folder / "10-namespaces.yaml").write_text("edited\n", encoding="utf-8")
    (folder / "30-gone.yaml").write_text("# Rendered by `moka render` from somewhere\n", encoding="utf-8")
    before = _tree(tmp_path)

    result = run("dev", "-o", tmp_path, "--check")

    assert result.exit_code == 3
    assert result.stdout.splitlines() == [
        f"missing: {folder / '00-crds.yaml'}",
        f"changed: {folder / '10-namespaces.yaml'}",
        f"left over: {folder / '30-gone.yaml'}",
    ]
    assert _tree(tmp_path) == before


def test_a_write_that_fails_leaves_the_old_file_whole_and_no_debris(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = load("dev")
    moka_render.render(environment, tmp_path)
    target = tmp_path / "dev" / "batch" / "20-spark-operator.yaml"
    target.write_text("# Rendered by `moka render` long ago\n", encoding="utf-8")
    before = _tree(tmp_path)

    def full(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(BadInputError, match="No space left on device"):
        moka_render.render(environment, tmp_path)

    assert _tree(tmp_path) == before


def _dev_with(**sections: Any) -> Environment:
    return Environment.model_validate({**load("dev").model_dump(mode="json"), **sections})


def test_an_environment_without_room_for_the_platform_is_refused_by_name(tmp_path: Path) -> None:
    cluster = load("dev").clusters[0].model_dump(mode="json")
    pools = [pool for pool in cluster["pools"] if pool["role"] != "system"]

    with pytest.raises(
        MokaError, match="environment dev cannot be rendered: cluster batch: has no pool of role 'system'"
    ):
        moka_render.render(_dev_with(clusters=[{**cluster, "pools": pools}]), tmp_path)
    assert _tree(tmp_path) == {}


def test_a_view_that_archer_refuses_is_not_written(tmp_path: Path) -> None:
    queues = {**load("dev").queues.model_dump(mode="json"), "default": "root.nobody"}

    with pytest.raises(
        MokaError, match=r"Archer refuses archer.yaml of environment dev:\n`queues.default` must be a leaf"
    ):
        moka_render.render(_dev_with(queues=queues), tmp_path)
    assert _tree(tmp_path) == {}
