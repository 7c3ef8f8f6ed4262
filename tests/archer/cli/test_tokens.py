"""`archer token`: the first one beside the server, others over the API; and what a refusal looks like at a terminal."""

from __future__ import annotations

import json
import re
import shlex
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from archer.api.app import create_app
from archer.auth.access import make_access
from archer.cli.application import application
from archer.clock import SystemClock
from archer.http_server import HttpServer

if TYPE_CHECKING:
    from tests.archer.cli.conftest import Run
    from tests.archer.conftest import HandDriven

SECRET = r"archer_[a-z2-7]{10}_[0-9A-Za-z]{43}"


@pytest.fixture
def asking(by_hand: HandDriven, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """`run` against a server that takes tokens."""
    settings = by_hand.settings.model_copy(update={"authentication": ("token",)})
    access = make_access(settings, by_hand.store, SystemClock(), None)
    listening = socket.create_server(("127.0.0.1", 0))
    server = HttpServer(create_app(by_hand.service, access=access), listening, shutdown_seconds=1)
    assert server.start()
    monkeypatch.setenv("ARCHER_URL", f"http://127.0.0.1:{listening.getsockname()[1]}")
    yield run
    server.stop(5)


def direct(run: Run, data: Path, *roles: str) -> str:
    grants = [word for role in roles for word in ("--role", role)]
    made = run("token", "create", "--direct", "--data", str(data), "--subject", "ada", *grants)
    assert made.code == 0, made.err
    assert re.fullmatch(SECRET + "\n", made.out)
    return made.out.strip()


def test_the_first_token_is_made_beside_the_server_and_makes_others(
    asking: Run, by_hand: HandDriven, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = direct(asking, by_hand.settings.data, "admin")
    monkeypatch.setenv("ARCHER_TOKEN", first)

    made = asking("token", "create", "--subject", "etl", "--role", "submitter:root.etl", "--expires-in", "90d")
    listed = asking("token", "list", "--output", "json")

    assert re.fullmatch(SECRET + "\n", made.out)
    assert re.search(r"for etl, until 20\d\d-", made.err)
    assert made.out.strip() not in made.err
    found = {token["subject"]: token for token in json.loads(listed.out)}
    assert (found["etl"]["roles"], found["ada"]["expires_at"]) == (["submitter:root.etl"], None)
    assert first.rsplit("_", 1)[1] not in listed.out


def test_a_revoked_token_no_longer_opens(asking: Run, by_hand: HandDriven, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHER_TOKEN", direct(asking, by_hand.settings.data, "admin"))
    other = direct(asking, by_hand.settings.data, "viewer")

    revoked = asking("token", "revoke", other)
    table = asking("token", "list")
    monkeypatch.setenv("ARCHER_TOKEN", other)

    assert (revoked.code, other.rsplit("_", 1)[1] in revoked.err) == (0, False)
    assert re.search(rf"{other.split('_')[1]}  ada +viewer .+ never +20", table.out)
    assert asking("list").code == 2
    assert asking("token", "revoke", "--direct", "--data", str(by_hand.settings.data), "none").code == 3


def test_without_a_token_one_sentence_says_what_to_set(asking: Run) -> None:
    ended = asking("list")

    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert "wants to know who asks" in ended.err
    assert "ARCHER_TOKEN or give --token-file" in ended.err


def test_a_token_that_may_not_gets_one_sentence_with_the_role_that_it_takes(
    asking: Run, by_hand: HandDriven, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = by_hand.submit(user="bob")
    monkeypatch.setenv("ARCHER_TOKEN", direct(asking, by_hand.settings.data, "viewer"))

    ended = asking("kill", job.id)

    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert "ada may not kill this job; that takes being the job's owner, role operator or role admin" in ended.err
    assert by_hand.store.job(job.id).state == "QUEUED"


def test_a_file_of_a_token_wins_over_the_variable(
    asking: Run, by_hand: HandDriven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text(direct(asking, by_hand.settings.data, "viewer") + "\n")
    monkeypatch.setenv("ARCHER_TOKEN", "wrong")

    assert asking("list").code == 2
    assert asking("list", "--token-file", str(file)).code == 0


def test_a_submission_with_a_token_is_in_the_name_of_the_token(
    asking: Run, by_hand: HandDriven, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHER_TOKEN", direct(asking, by_hand.settings.data, "submitter:root"))
    # the login name is another
    monkeypatch.setenv("LOGNAME", "somebody")

    made = asking("submit", str(by_hand.application))

    assert made.code == 0, made.err
    assert by_hand.store.job(made.out.strip()).user == "ada"
    assert asking("submit", str(by_hand.application), "--user", "bob").code == 2


@pytest.mark.parametrize("text", ["two words", "tök", "line\nbreak"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_repeated(asking: Run, tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text)

    ended = asking("list", "--token-file", str(file))

    assert (ended.code, ended.out) == (2, "")
    assert text not in ended.err
    assert asking("list", "--token-file", str(tmp_path / "absent")).code == 2


def test_a_grant_that_cannot_be_is_refused_with_all_its_problems(run: Run, by_hand: HandDriven) -> None:
    where = ("--direct", "--data", str(by_hand.settings.data))
    ended = run("token", "create", *where, "--subject", " ", "--role", "root", "--role", "submitter:etl")

    assert (ended.code, ended.out) == (2, "")
    assert "refused, 3 problems" in ended.err


GUIDE = (Path(__file__).parents[3] / "docs" / "guides" / "archer-access.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("line", re.findall(r"^(?:.*-- )?(archer token [^`\n]+)", GUIDE, flags=re.MULTILINE))
def test_each_command_of_the_guide_is_accepted_with_its_options(line: str) -> None:
    _, group, name, *words = shlex.split(line)
    commands: Any = typer.main.get_group(application()).commands[group]

    # raises for an option that there is not
    assert commands.commands[name].make_context(f"archer {group} {name}", words).params
