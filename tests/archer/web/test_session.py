"""The page for somebody who has to say who they are: signing in and out, the cookie, and kills that no foreign page can cause."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.archer.api.conftest import Door

if TYPE_CHECKING:
    from archer.model import Job

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HERE = {"Origin": "https://archer.example", "Host": "archer.example"}
PROXY = "10.9.3.7"


@pytest.fixture
def site(tmp_path: Path, migrated_database: Path) -> Iterator[Door]:
    shutil.copy(migrated_database, tmp_path / "archer.db")
    made = Door(tmp_path, authentication="token,proxy", trusted_proxies=PROXY, group_roles="night-watch=operator")
    yield made
    made.store.close()


@pytest.fixture
def job(site: Door) -> Job:
    headers = {"Authorization": f"Bearer {site.token('olga', 'operator')}"}
    answer = site.ask("POST", "/api/v1/jobs", json=site.body(user="ada"), headers=headers)
    return site.store.job(answer.json()["id"])


def sign_in(site: Door, secret: str, **fields: str) -> httpx.Response:
    return site.ask("POST", "/login", data={"token": secret, **fields}, headers=HERE)


def cookie(site: Door, subject: str = "ada", role: str = "viewer") -> dict[str, str]:
    secret = site.token(subject, role)
    assert sign_in(site, secret).status_code == 303
    return {"Cookie": f"archer_token={secret}"}


def test_a_browser_without_a_token_is_sent_to_the_form_and_from_there_where_it_wanted(site: Door) -> None:
    first = site.get("/jobs/j-x?attempt=2", headers=HTML)
    assert (first.status_code, first.headers["location"]) == (303, "/login?next=%2Fjobs%2Fj-x%3Fattempt%3D2")
    form = site.get(first.headers["location"], headers=HTML)
    assert (form.status_code, 'name="next" value="/jobs/j-x?attempt=2"' in form.text) == (200, True)

    answer = sign_in(site, site.token("vera", "viewer"), next="/jobs/j-x?attempt=2")

    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs/j-x?attempt=2")


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/\tx", ""])
def test_signing_in_never_leads_to_another_server(site: Door, elsewhere: str) -> None:
    answer = sign_in(site, site.token("vera", "viewer"), next=elsewhere)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(("forwarded", "secure"), [(None, False), ("https", True)])
def test_the_cookie_is_for_this_server_alone(site: Door, forwarded: str | None, secure: bool) -> None:
    secret = site.token("vera", "viewer")
    proto = {} if forwarded is None else {"X-Forwarded-Proto": forwarded}
    answer = site.ask("POST", "/login", data={"token": secret}, headers={**HERE, **proto})

    kept = SimpleCookie(answer.headers["set-cookie"])["archer_token"]

    assert kept.value == secret
    assert (kept["httponly"], kept["samesite"], kept["path"], kept["domain"]) == (True, "strict", "/", "")
    assert bool(kept["secure"]) is secure
    assert 0 < int(kept["max-age"]) <= 24 * 3600


def test_the_cookie_opens_the_page_and_says_who_one_is(site: Door, job: Job) -> None:
    with_cookie = {**HTML, **cookie(site, "vera")}

    listed, page = site.get("/", headers=with_cookie), site.get(f"/jobs/{job.id}", headers=with_cookie)

    assert (listed.status_code, page.status_code) == (200, 200)
    assert job.id in listed.text
    assert ">vera<" in page.text
    assert 'action="/logout"' in page.text


@pytest.mark.parametrize("secret", ["", "garbage", "archer_aaaaaaaaaa_" + "A" * 43])
def test_a_wrong_token_shows_the_form_again_and_sets_nothing(site: Door, secret: str) -> None:
    answer = sign_in(site, secret)

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert 'role="alert"' in answer.text
    assert "garbage" not in answer.text


def test_a_cookie_of_a_token_that_ended_leads_to_the_form(site: Door) -> None:
    secret = site.token("vera", "viewer", expires_in_seconds=60)
    headers = {**HTML, "Cookie": f"archer_token={secret}"}
    assert site.get("/", headers=headers).status_code == 200

    site.clock.advance(60)

    assert site.get("/", headers=headers).headers["location"] == "/login?next=%2F"


def test_signing_out_forgets_the_cookie(site: Door) -> None:
    answer = site.ask("POST", "/logout", headers={**cookie(site), **FORM, **HERE})

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert SimpleCookie(answer.headers["set-cookie"])["archer_token"]["max-age"] == "0"


def test_the_owner_sees_a_button_and_it_kills(site: Door, job: Job) -> None:
    owner = {**HTML, **cookie(site, "ada")}
    button = f'action="/jobs/{job.id}/kill"'
    assert button in site.get(f"/jobs/{job.id}", headers=owner).text
    assert button not in site.get(f"/jobs/{job.id}", headers={**HTML, **cookie(site, "vera")}).text

    answer = site.ask("POST", f"/jobs/{job.id}/kill", headers={**owner, **FORM, **HERE})

    assert (answer.status_code, answer.headers["location"]) == (303, f"/jobs/{job.id}")
    assert site.store.job(job.id).state == "CANCELLED"
    assert button not in site.get(f"/jobs/{job.id}", headers=owner).text
    again = site.ask("POST", f"/jobs/{job.id}/kill", headers={**owner, **FORM, **HERE})
    assert (again.status_code, "already ended" in again.text) == (409, True)


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://archer.example.evil.example"},
    {"Origin": "https://archer.example:8443"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://archer.example"},
]


@pytest.mark.parametrize("sent", [*FOREIGN, {}], ids=str)
@pytest.mark.parametrize("proof", ["cookie", "proxy"])
def test_a_form_of_a_foreign_page_kills_nothing(site: Door, job: Job, sent: dict[str, str], proof: str) -> None:
    who = cookie(site, "ada") if proof == "cookie" else {"X-Forwarded-User": "ada"}
    peer = PROXY if proof == "proxy" else "192.0.2.1"
    headers = {**who, **FORM, "Host": "archer.example", **sent}
    before = site.rows()

    answer = site.ask("POST", f"/jobs/{job.id}/kill", peer=peer, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "cross-site")
    assert site.rows() == before


@pytest.mark.parametrize("sent", FOREIGN, ids=str)
@pytest.mark.parametrize("proof", ["cookie", "proxy"])
def test_the_api_too_refuses_what_a_foreign_page_made_a_browser_send(
    site: Door, job: Job, sent: dict[str, str], proof: str
) -> None:
    who = cookie(site, "ada") if proof == "cookie" else {"X-Forwarded-User": "ada"}
    peer = PROXY if proof == "proxy" else "192.0.2.1"
    before = site.rows()

    answer = site.ask(
        "POST", f"/api/v1/jobs/{job.id}/kill", peer=peer, json={}, headers={**who, "Host": "archer.example", **sent}
    )

    assert (answer.status_code, answer.json()["code"]) == (403, "cross-site")
    assert site.rows() == before


def test_a_program_behind_the_proxy_needs_no_origin(site: Door, job: Job) -> None:
    headers = {"X-Forwarded-User": "ada"}

    assert site.ask("POST", f"/api/v1/jobs/{job.id}/kill", peer=PROXY, json={}, headers=headers).status_code == 200


def test_a_foreign_page_cannot_sign_somebody_in_or_out(site: Door) -> None:
    secret = site.token("eve", "viewer")
    foreign = {"Host": "archer.example", "Origin": "https://evil.example"}

    for path in ("/login", "/logout"):
        answer = site.ask("POST", path, data={"token": secret}, headers={**foreign, **cookie(site)})
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:9", None])
def test_at_the_local_door_a_form_of_a_foreign_page_kills_nothing(tmp_path: Path, origin: str | None) -> None:
    door = Door(tmp_path)
    job = door.submit()
    headers = {**FORM, **({} if origin is None else {"Origin": origin})}

    refused = door.ask("POST", f"/jobs/{job.id}/kill", headers=headers)
    own = door.ask("POST", f"/jobs/{job.id}/kill", headers={**FORM, "Origin": "http://127.0.0.1"})

    assert (refused.status_code, refused.json()["code"]) == (403, "cross-site")
    assert (own.status_code, door.store.job(job.id).state) == (303, "CANCELLED")
    assert door.store.events(job.id)[-1].actor == "api:anonymous"
    door.store.close()


def test_the_local_door_has_no_form_for_tokens(tmp_path: Path) -> None:
    door = Door(tmp_path)

    assert door.get("/login", headers=HTML).status_code == 404
    door.store.close()


def test_a_body_of_too_many_fields_is_no_defect(site: Door) -> None:
    body = "&".join(f"f{number}=x" for number in range(50))

    assert site.ask("POST", "/login", content=body, headers={**FORM, **HERE}).status_code == 401
