import re

from k8s_manifests.images import IMAGES, Image


def test_a_reference_is_registry_repository_and_version() -> None:
    image = Image(
        repository="thing", upstream="example.com/a/thing", version="1.2.3", source="https://example.com/1.2.3"
    )

    assert image.in_registry("registry.example.com/moka-dev") == "registry.example.com/moka-dev/thing:1.2.3"


def test_every_version_is_a_whole_one_and_every_upstream_names_its_registry() -> None:
    for image in IMAGES:
        assert re.fullmatch(r"\d+\.\d+\.\d+", image.version), image.repository
        assert "." in image.upstream.split("/")[0], "a bare name would mean Docker Hub to some tools and not to others"
        assert ":" not in image.upstream


def test_no_repository_is_named_twice() -> None:
    assert len({image.repository for image in IMAGES}) == len(IMAGES)
