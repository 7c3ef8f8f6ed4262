import pytest

from environments import environment_names, load
from environments.names import registry
from infra.data import REPOSITORIES
from k8s_manifests.images import images_of
from k8s_manifests.own_images import ARCHER, SPARK
from moka.images.catalog import catalog, warnings


@pytest.mark.parametrize("name", environment_names())
def test_the_list_is_our_images_and_all_that_the_charts_pull(name: str) -> None:
    environment = load(name)
    entries = catalog(environment)

    assert [entry.repository for entry in entries[:2]] == ["archer", "spark"]
    wanted = {(image.repository, image.version) for image in images_of(environment)}
    ours = {("archer", ARCHER.tag), ("spark", SPARK.tag)}
    assert {(entry.repository, entry.tag) for entry in entries} == ours | {
        each for each in wanted if each[0] not in {"archer", "spark"}
    }


@pytest.mark.parametrize("name", environment_names())
def test_every_image_goes_to_the_environments_registry_under_its_own_repository(name: str) -> None:
    environment = load(name)

    for entry in catalog(environment):
        assert entry.target == f"{registry(environment)}/{entry.repository}:{entry.tag}"


def test_the_data_stack_makes_a_repository_for_every_image() -> None:
    for name in environment_names():
        assert {entry.repository for entry in catalog(load(name))} <= set(REPOSITORIES)


def test_no_tag_is_named_twice() -> None:
    entries = catalog(load("prod"))

    assert len({entry.target for entry in entries}) == len(entries)


def test_a_mirrored_image_names_its_upstream_with_tag_and_the_page_of_its_version() -> None:
    (pause,) = (entry for entry in catalog(load("dev")) if entry.repository == "pause")

    assert pause.kind == "mirrored"
    assert pause.source == f"registry.k8s.io/pause:{pause.tag}"
    assert pause.digest is not None
    assert pause.version_source is not None
    assert pause.own is None


def test_an_environment_with_celeborn_is_warned_while_the_image_lacks_its_client() -> None:
    assert load("prod").celeborn is not None
    (warning,) = warnings(load("prod"))

    assert "built without its client" in warning
    assert "images/spark/jars.lock" in warning
    assert load("dev").celeborn is None
    assert warnings(load("dev")) == ()
