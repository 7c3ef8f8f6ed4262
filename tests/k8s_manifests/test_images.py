import re
from typing import Any

from k8s_manifests.images import CLUSTER_AUTOSCALER, IMAGES, Image, images_of


def test_a_reference_is_registry_repository_and_version() -> None:
    image = Image(
        repository="thing", upstream="example.com/a/thing", version="1.2.3", source="https://example.com/1.2.3"
    )

    assert image.in_registry("registry.example.com/moka-dev") == "registry.example.com/moka-dev/thing:1.2.3"


def test_every_version_is_a_whole_one_and_every_upstream_names_its_registry() -> None:
    for image in IMAGES:
        # pause alone has two numbers
        assert re.fullmatch(r"(v|[a-z]+-)?\d+\.\d+(\.\d+)?", image.version), image.repository
        assert "." in image.upstream.split("/")[0], "a bare name would mean Docker Hub to some tools and not to others"
        assert ":" not in image.upstream


def test_a_digest_is_a_whole_one_or_none() -> None:
    digests = [image.digest for image in IMAGES if image.digest is not None]

    assert digests
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in digests)
    assert len(set(digests)) == len(digests)


def test_no_tag_of_a_repository_is_named_twice() -> None:
    assert len({(image.repository, image.version) for image in IMAGES}) == len(IMAGES)


def test_the_autoscaler_is_of_the_clusters_minor() -> None:
    for minor, image in CLUSTER_AUTOSCALER.items():
        assert image.version.startswith(f"v{minor}.")


def test_an_environment_wants_exactly_the_images_that_its_clusters_pull(every_cluster: list[Any]) -> None:
    for name in {rendered.environment.name for rendered in every_cluster}:
        mine = [rendered for rendered in every_cluster if rendered.environment.name == name]
        # what YuniKorn's placeholders run stands in a ConfigMap
        text = "".join(text for rendered in mine for text in rendered.files.values())
        used = {image for image in IMAGES if f"/{image.repository}:{image.version}" in text}
        assert used == set(images_of(mine[0].environment))
