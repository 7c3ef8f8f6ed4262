import subprocess
import sys

import pytest

import moka_constructs


def test_public_names_are_sorted_and_importable() -> None:
    assert moka_constructs.__all__ == sorted(moka_constructs.__all__)
    for name in moka_constructs.__all__:
        assert getattr(moka_constructs, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        moka_constructs.Nonsense  # noqa: B018


def test_a_part_that_needs_no_cdk_does_not_import_it() -> None:
    code = "import sys; from moka_constructs import Location, Statement; print('aws_cdk' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
