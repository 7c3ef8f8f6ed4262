import json
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from environments import Environment, environment_names, load
from infra import bundles as module
from infra.bundles import BundleError, Bundles
from k8s_manifests.own_images import ARCHER
from moka.render import rendered_files


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that the tests of a session share; making a bundle starts a process."""
    return tmp_path_factory.mktemp("bundles")


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting a process fails the test."""

    def refuse(*arguments: Any, **_: Any) -> None:
        raise AssertionError(f"started {arguments}")

    monkeypatch.setattr(subprocess, "Popen", refuse)


def contents(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("name", environment_names())
def test_a_bundle_holds_the_objects_of_what_moka_render_writes_as_json(name: str, folder: Path) -> None:
    environment = load(name)
    sets = Bundles(folder).of(environment)
    assert sets is not None
    written = {
        str(file.path.with_suffix(".json")): list(yaml.load_all(file.text, yaml.CSafeLoader))
        for file in rendered_files(environment)
        if file.path.name != "archer.yaml"
    }
    found = {
        f"{cluster}/{entry}": json.loads(content)
        for (cluster, _), bundle in sets.items()
        for entry, content in contents(bundle.file).items()
    }

    assert found == written


def test_what_is_there_is_not_made_again(folder: Path, request: pytest.FixtureRequest) -> None:
    first = Bundles(folder).of(load("dev"))
    request.getfixturevalue("no_process")

    assert Bundles(folder).of(load("dev")) == first


def test_another_environment_another_source_or_another_cdk8s_is_made_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev = load("dev")
    made = Bundles(folder)
    place = made._place(dev)

    assert made._place(dev.model_copy(update={"account": "222222222222"})) != place
    monkeypatch.setattr(module, "sources_digest", lambda: "other")
    assert Bundles(folder)._place(dev) != place


def test_the_digest_of_the_sources_changes_with_each_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROOT", tmp_path)
    seen = set()
    for source in ("k8s_manifests/a.py", "k8s_manifests/imports/b.json", "environments/c.py", "infra/make_bundles.py"):
        file = tmp_path / source
        file.parent.mkdir(parents=True, exist_ok=True)
        for text in ("one", "two"):
            file.write_text(text)
            seen.add(module.sources_digest())

    assert len(seen) == 8


def test_the_digest_changes_with_the_sources_of_an_image_whose_tag_stands_in_manifests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = module.sources_digest()
    monkeypatch.setitem(ARCHER.__dict__, "inputs", "f" * 64)

    assert module.sources_digest() != before


def test_environments_travel_to_the_other_process_whole() -> None:
    for name in environment_names():
        environment = load(name)

        assert Environment.model_validate_json(environment.model_dump_json()) == environment


def test_an_environment_that_cannot_be_rendered_is_told_with_its_reason(tmp_path: Path) -> None:
    dev = load("dev")
    (cluster,) = dev.clusters
    pools = tuple(pool for pool in cluster.pools if pool.role != "system")
    broken = dev.model_copy(update={"clusters": (cluster.model_copy(update={"pools": pools}),)})

    with pytest.raises(BundleError, match=r"environment dev cannot be rendered: .*has no pool of role 'system'"):
        Bundles(tmp_path).of(broken)

    assert list(tmp_path.glob("[!.]*")) == []


def test_nothing_is_rendered_for_an_environment_of_files(tmp_path: Path, no_process: None) -> None:
    dev = load("dev")
    files = dev.model_copy(update={"delivery": dev.delivery.model_copy(update={"manifests": "files"})})
    bundles = Bundles(tmp_path)
    bundles.prepare([files])

    assert bundles.of(files) is None


def test_a_folder_that_cannot_be_written_is_replaced_by_a_temporary_one(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("")

    bundles = Bundles(taken / "manifests")

    assert bundles._folder.name.startswith("moka-manifests-")


def test_environments_that_were_not_prepared_together_are_made_when_asked_for(folder: Path) -> None:
    test = load("test")
    fresh = test.model_copy(update={"account": "222222222222"})
    bundles = Bundles(folder)
    bundles.prepare([load("dev").model_copy(update={"account": "222222222222"})])

    sets = bundles.of(fresh)

    assert sets is not None
    assert all(b"222222222222" in b"".join(contents(bundle.file).values()) for bundle in sets.values())


def test_the_oldest_go_when_there_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    for number, name in enumerate(("old", "middle", "new")):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (number, number))

    module._forget_oldest(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["middle", "new"]
