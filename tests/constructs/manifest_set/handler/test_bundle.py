import json
import zipfile
from io import BytesIO

import pytest

from moka_constructs.manifest_set.handler import bundle

from .conftest import an_object, as_files

FILES = as_files({"20-b.yaml": [an_object("Role", "r", "n")], "10-a.yaml": [an_object("Namespace", "n")]})


def test_what_is_written_is_read() -> None:
    content = bundle.write(bundle.contents(FILES))

    assert bundle.read(content) == tuple(sorted(FILES, key=lambda file: file.name))


def test_each_file_is_an_entry_of_json() -> None:
    with zipfile.ZipFile(BytesIO(bundle.write(bundle.contents(FILES)))) as archive:
        assert archive.namelist() == ["10-a.json", "20-b.json"]
        assert json.loads(archive.read("10-a.json")) == [an_object("Namespace", "n")]


def test_the_digest_and_the_bytes_are_of_the_content_alone() -> None:
    first, again = bundle.contents(FILES), bundle.contents(tuple(reversed(FILES)))
    other = bundle.contents(as_files({"10-a.yaml": [an_object("Namespace", "other")]}))

    assert bundle.digest(first) == bundle.digest(again)
    assert bundle.write(first) == bundle.write(again)
    assert bundle.digest(first) != bundle.digest(other)


def test_what_is_no_bundle_is_refused() -> None:
    with pytest.raises(ValueError, match="a bundle is a zip file, got 4 bytes"):
        bundle.read(b"text")
