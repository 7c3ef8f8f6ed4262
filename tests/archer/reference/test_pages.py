"""The committed reference says what the code does."""

import subprocess
import sys
from pathlib import Path

import pytest

from archer.auth.roles import Verb
from archer.model import Category, JobState
from archer.reference import PAGES
from archer.reference.api import openapi
from archer.reference.markdown import member_docs, table
from archer.settings import ServeSettings

DOCS = Path(__file__).parents[3] / "docs" / "reference"


@pytest.mark.parametrize("name", PAGES)
def test_a_committed_page_is_fresh(name: str) -> None:
    # when this fails: python -m archer.reference docs/reference
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run `python -m archer.reference docs/reference`"


def test_every_state_and_category_is_explained() -> None:
    assert set(member_docs(JobState)) == {state.name for state in JobState}
    assert set(member_docs(Category)) == {category.name for category in Category}


def test_every_setting_is_explained() -> None:
    page = PAGES["archer-settings.md"]()

    for name, field in ServeSettings.model_fields.items():
        assert field.description, name
        assert f"| `ARCHER_{name.upper()}` |" in page


def test_every_call_of_the_contract_is_described_with_its_errors() -> None:
    described = {
        f"{method.upper()} {path}": set(operation["responses"])
        for path, operations in openapi()["paths"].items()
        for method, operation in operations.items()
    }

    assert set(described) == {
        "POST /api/v1/jobs",
        "GET /api/v1/jobs",
        "GET /api/v1/jobs/{job_id}",
        "GET /api/v1/jobs/{job_id}/events",
        "GET /api/v1/jobs/{job_id}/attempts",
        "GET /api/v1/jobs/{job_id}/logs",
        "POST /api/v1/jobs/{job_id}/kill",
        "GET /api/v1/clusters",
        "PUT /api/v1/clusters/{name}",
        "POST /api/v1/clusters/{name}/forget",
        "GET /api/v1/queues",
        "PUT /api/v1/queues/{path}",
        "POST /api/v1/route",
        "POST /api/v1/tokens",
        "GET /api/v1/tokens",
        "POST /api/v1/tokens/{token_id}/revoke",
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
    }
    refusals = {"400", "401", "403", "409", "413", "415", "422", "429", "503"}
    assert described["POST /api/v1/jobs"] == {"200", "201", *refusals}
    assert {"202", "404", "409"} <= described["POST /api/v1/jobs/{job_id}/kill"]


def test_the_table_of_roles_has_a_row_for_every_verb_and_a_column_for_every_standing() -> None:
    lines = PAGES["archer-roles.md"]().splitlines()

    assert "| verb | viewer | owner | team | submitter | operator | admin |" in lines
    assert "| `kill` |  | yes | yes |  | yes | yes |" in lines
    assert "| `tokens` |  |  |  |  |  | yes |" in lines
    assert [verb for verb in Verb if not any(line.startswith(f"| `{verb}` | ") for line in lines)] == []


def test_a_bar_in_a_cell_does_not_break_the_table() -> None:
    assert table(("a",), [("x|y\nz",)]).splitlines()[-1] == "| x\\|y z |"


def test_the_pages_are_written_by_the_command_that_they_name(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "archer.reference", str(tmp_path)], check=True)

    assert {path.name for path in tmp_path.iterdir()} == set(PAGES)
