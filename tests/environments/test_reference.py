"""The generated field reference."""

from environments.reference import FILE, text
from environments.shape import sections


def test_the_committed_page_is_fresh() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run `python -m environments reference`"


def test_every_field_of_every_section_has_a_row() -> None:
    page = text()

    for section in sections():
        table = page.split(f"({section.__name__})\n", 1)[1].split("\n## ", 1)[0]
        for name in section.model_fields:
            assert f"| `{name}` |" in table, f"{section.__name__}.{name}"


def test_a_row_tells_type_bounds_default_and_meaning() -> None:
    page = text()

    assert (
        "| `max_pods` | whole number, 4 to 250 | `110` | Pods per node; prefix delegation makes room for them. |"
        in page
    )
    assert "| `region` | text, AWS region name | required |" in page
    assert (
        "| `zones` | list of text, availability zone name | none |" in page
        or "| `zones` | list of text | none |" in page
    )
    assert "| `min_acu` | number, 0 to 256, in steps of 0.5 | `0.5` |" in page


def test_no_cell_breaks_its_table() -> None:
    lengths = {
        line.replace("\\|", "").count("|")
        for line in text().splitlines()
        if line.startswith("| ") and "---" not in line
    }

    assert lengths == {5}
