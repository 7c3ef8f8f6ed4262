from environments import environment_names, load
from k8s_manifests.own_images import OWN_IMAGES
from moka.images.catalog import catalog
from moka.images.reference import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m moka.images.reference`"


def test_every_environment_lists_every_image_of_its_own() -> None:
    parts = page().split("\n## ")
    for name in environment_names():
        (part,) = (part for part in parts if part.startswith(f"{name}\n"))

        assert [entry for entry in catalog(load(name)) if f"| `{entry.repository}` | " not in part] == []


def test_the_page_does_not_change_with_our_own_sources() -> None:
    assert [image.inputs[:12] for image in OWN_IMAGES if image.inputs[:12] in page()] == []
