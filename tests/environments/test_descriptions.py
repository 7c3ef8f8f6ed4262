"""Every field says what it means, under the field."""

from environments.clusters import Pool
from environments.descriptions import description
from environments.network import NewNetwork
from environments.shape import sections


def test_every_field_of_every_section_is_described() -> None:
    silent = [
        f"{section.__name__}.{name}"
        for section in sections()
        for name in section.model_fields
        if not description(section, name)
    ]

    assert silent == []


def test_every_section_is_described() -> None:
    assert [section.__name__ for section in sections() if not section.__doc__] == []


def test_a_description_is_the_docstring_under_the_field() -> None:
    assert description(Pool, "disk_gib") == "Root volume (gp3, encrypted), GiB."
    assert description(NewNetwork, "pod_cidrs").count("\n") == 2
    assert description(Pool, "nope") == ""
