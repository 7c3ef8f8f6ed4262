import zipfile
from io import BytesIO

import pytest

from moka_constructs.manifest_set.handler import bundle

from .conftest import an_object, as_files

FILES = as_files({"20-b.yaml": [an_object("Role", "r", "n")], "10-a.yaml": [an_object("Namespace", "n")]})
TEXTS = {"10-a.yaml": "# a\n", "20-b.yaml": "# b\n"}


def test_what_is_written_is_read() -> None:
    content = bundle.write(bundle.contents(FILES, TEXTS))

    assert bundle.read(content) == tuple(sorted(FILES, key=lambda file: file.name))


def test_people_find_the_rendered_text_beside_it() -> None:
    with zipfile.ZipFile(BytesIO(bundle.write(bundle.contents(FILES, TEXTS)))) as archive:
        assert archive.namelist() == ["10-a.json", "10-a.yaml", "20-b.json", "20-b.yaml"]
        assert archive.read("10-a.yaml") == b"# a\n"


def test_the_digest_is_of_the_content_alone() -> None:
    first, again = bundle.contents(FILES, TEXTS), bundle.contents(FILES, dict(reversed(TEXTS.items())))
    other = bundle.contents(FILES, {**TEXTS, "10-a.yaml": "# other\n"})

    assert bundle.digest(first) == bundle.digest(again)
    assert bundle.digest(first) != bundle.digest(other)
    assert bundle.write(first) == bundle.write(again)


def test_what_is_no_bundle_is_refused() -> None:
    with pytest.raises(ValueError, match="a bundle is a zip file, got 4 bytes"):
        bundle.read(b"text")
