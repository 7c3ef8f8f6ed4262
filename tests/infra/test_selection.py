import pytest

from infra.selection import selected_names

KNOWN = ("dev", "prod", "staging", "test")


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (None, KNOWN),
        ("", KNOWN),
        ("dev", ("dev",)),
        ("dev, prod", ("dev", "prod")),
        ("prod,dev,prod,", ("prod", "dev")),
        ("elsewhere/mine.yaml", ("elsewhere/mine.yaml",)),
    ],
)
def test_one_name_several_or_none_select_environments(wanted: str | None, names: tuple[str, ...]) -> None:
    assert selected_names(wanted, KNOWN) == names
