import re

from k8s_manifests.images import IMAGES
from k8s_manifests.reference import PAGE, page


def test_the_page_is_what_the_charts_render() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m k8s_manifests.reference` and commit the result"


def test_every_image_is_on_the_page_with_the_source_of_its_version() -> None:
    text = PAGE.read_text(encoding="utf-8")

    for image in IMAGES:
        assert (
            f"| `{image.repository}` | {image.version} | `{image.upstream}` | {image.source} | {image.digest or 'not known'} |"
            in text
        )
        assert image.source.startswith("https://")
        number = re.sub("^[a-z-]+", "", image.version)
        if image.repository != "pause":
            assert number in image.source, "the source must be of this very version"
