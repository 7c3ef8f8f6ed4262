"""Who may do what, asked over HTTP: one table of verbs, roles and ownership, and what it takes to get in at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from archer.api.door import OPEN
from archer.reference.api import openapi
from archer.store.interface import JobFilter
from testbed.archer_builders import make_cluster_config
from tests.archer.api.conftest import Door

if TYPE_CHECKING:
    from pathlib import Path

    from archer.model import Job

PROXY = "10.9.3.7"
JOBS = "/api/v1/jobs"
ADS = "root.ads.ctr.tier1"

MATRIX = """
                          owner nobody viewer ads-submitter other-submitter team operator admin
list the job              yes   no     yes    yes           no              yes  yes      yes
read the job              200   403    200    200           403             200  200      200
read it on the page       200   403    200    200           403             200  200      200
read events               200   403    200    200           403             200  200      200
read attempts             200   403    200    200           403             200  200      200
read logs                 200   403    200    200           403             200  200      200
read logs on the page     404   403    404    404           403             404  404      404
kill                      200   403    403    403           403             200  200      200
kill on the page          303   403    403    403           403             303  303      303
submit to ads             403   403    403    201           403             201  201      201
submit to a sibling       403   403    403    201           403             201  201      201
submit to the default     403   403    403    403           201             403  201      201
submit without team       403   403    403    201           403             403  201      201
submit as ada             403   403    403    403           403             403  201      201
list clusters             200   200    200    200           200             200  200      200
drain a cluster           403   403    403    403           403             403  200      200
list queues               200   200    200    200           200             200  200      200
pause a queue             403   403    403    403           403             403  200      200
ask for a route           403   403    403    200           403             200  200      200
list tokens               403   403    403    403           403             403  403      200
make a token              403   403    403    403           403             403  403      201
revoke a token            403   403    403    403           403             403  403      204
"""
"""The job is ada's, of team ads, in a queue below root.ads. There is no attempt yet: its raw log is a 404, once allowed."""

HEAD, *ROWS = [re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in MATRIX.strip("\n").splitlines()]
PEOPLE = " ".join(HEAD).split()
CASES = [
    pytest.param(deed, person, expected, id=f"{deed}, {person}")
    for deed, cells in ROWS
    for person, expected in zip(PEOPLE, cells.split(), strict=True)
]


class Caller:
    """One person at the door."""

    def __init__(self, door: Door, person: str) -> None:
        self.door = door
        behind_proxy = {"owner": ("ada", ""), "nobody": ("nora", "others"), "team": ("tina", "others, ads-devs")}
        with_token = {
            "viewer": ("vera", "viewer"),
            "ads-submitter": ("sam", "submitter:root.ads"),
            "other-submitter": ("otto", "submitter:root.shared"),
            "operator": ("olga", "operator"),
            "admin": ("adam", "admin"),
        }
        if person in behind_proxy:
            self.subject, groups = behind_proxy[person]
            self._headers = {"X-Forwarded-User": self.subject, "X-Forwarded-Groups": groups}
        else:
            self.subject, role = with_token[person]
            self._headers = {"Authorization": f"Bearer {door.token(self.subject, role)}"}
        self._peer = PROXY if person in behind_proxy else "192.0.2.1"

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, **request: Any) -> httpx.Response:
        return self.door.ask(method, path, peer=self._peer, headers={**self._headers, **(headers or {})}, **request)

    def submit(self, **fields: Any) -> httpx.Response:
        # sizes are judged elsewhere
        return self.ask("POST", JOBS, json=self.door.body(**fields))

    def form(self, path: str) -> httpx.Response:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        return self.ask("POST", path, headers=headers)


Deed = Callable[[Caller, str, str], httpx.Response]
GRANT = {"subject": "eve", "roles": ["viewer"]}
DRAIN = {"mode": "draining", "message": "upgrade"}
DEEDS: Mapping[str, Deed] = {
    "read the job": lambda who, job, _: who.ask("GET", f"{JOBS}/{job}"),
    "read it on the page": lambda who, job, _: who.ask("GET", f"/jobs/{job}", {"Accept": "text/html"}),
    "read events": lambda who, job, _: who.ask("GET", f"{JOBS}/{job}/events"),
    "read attempts": lambda who, job, _: who.ask("GET", f"{JOBS}/{job}/attempts"),
    "read logs": lambda who, job, _: who.ask("GET", f"{JOBS}/{job}/logs"),
    "read logs on the page": lambda who, job, _: who.ask("GET", f"/jobs/{job}/attempts/1/driver.log"),
    "kill": lambda who, job, _: who.ask("POST", f"{JOBS}/{job}/kill", json={}),
    "kill on the page": lambda who, job, _: who.form(f"/jobs/{job}/kill"),
    "submit to ads": lambda who, _, __: who.submit(queue=ADS, team="ads"),
    "submit to a sibling": lambda who, _, __: who.submit(queue="root.ads.ctr.tier2", team="ads"),
    "submit to the default": lambda who, _, __: who.submit(),
    "submit without team": lambda who, _, __: who.submit(queue=ADS),
    "submit as ada": lambda who, _, __: who.submit(queue=ADS, team="ads", user="ada"),
    "list clusters": lambda who, _, __: who.ask("GET", "/api/v1/clusters"),
    "drain a cluster": lambda who, _, __: who.ask("PUT", "/api/v1/clusters/local", json=DRAIN),
    "list queues": lambda who, _, __: who.ask("GET", "/api/v1/queues"),
    "pause a queue": lambda who, _, __: who.ask("PUT", f"/api/v1/queues/{ADS}", json=DRAIN),
    "ask for a route": lambda who, _, __: who.ask("POST", "/api/v1/route", json=who.door.body(queue=ADS, team="ads")),
    "list tokens": lambda who, _, __: who.ask("GET", "/api/v1/tokens"),
    "make a token": lambda who, _, __: who.ask("POST", "/api/v1/tokens", json=GRANT),
    "revoke a token": lambda who, _, token: who.ask("POST", f"/api/v1/tokens/{token}/revoke", json={}),
}


@pytest.fixture
def job(guarded: Door) -> Job:
    """A job of ada."""
    return seeded(guarded)


def seeded(door: Door) -> Job:
    answer = Caller(door, "operator").submit(user="ada", team="ads", queue=ADS)
    assert answer.status_code == 201, answer.text
    return door.store.job(answer.json()["id"])


@pytest.mark.parametrize(("deed", "person", "expected"), [case for case in CASES if case.values[0] in DEEDS])
def test_each_deed_is_allowed_or_refused_as_the_table_says(
    guarded: Door, job: Job, deed: str, person: str, expected: str
) -> None:
    who = Caller(guarded, person)
    token_id = guarded.token("eve", "viewer").split("_")[1]
    before = guarded.rows()

    answer = DEEDS[deed](who, job.id, token_id)

    assert answer.status_code == int(expected), answer.text
    if answer.status_code == 403:
        assert guarded.rows() == before
        if "page" not in deed:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == "not-allowed"
            assert re.search(rf"^{who.subject} may not .+(role|owner|ask)", answer.json()["detail"])


@pytest.mark.parametrize(("deed", "person", "expected"), [case for case in CASES if case.values[0] == "list the job"])
def test_the_list_and_its_page_hold_what_one_may_see(
    guarded: Door, job: Job, deed: str, person: str, expected: str
) -> None:
    who = Caller(guarded, person)

    listed = who.ask("GET", JOBS).json()["jobs"]
    page = who.ask("GET", "/", {"Accept": "text/html"}).text

    assert deed
    assert [found["id"] for found in listed] == ([job.id] if expected == "yes" else [])
    assert (job.id in page) is (expected == "yes")


def test_every_deed_is_a_row_of_the_table_and_every_row_was_tried() -> None:
    assert {deed for deed, _ in ROWS} == {*DEEDS, "list the job"}


def test_a_list_of_a_part_of_the_jobs_is_paged_without_gaps(guarded: Door) -> None:
    operator, submitter = Caller(guarded, "operator"), Caller(guarded, "ads-submitter")
    mine = []
    for number in range(12):
        queue = {"queue": ADS} if number % 3 == 0 else {}
        mine += [operator.submit(**queue).json()["id"]] if queue else []
        if not queue:
            operator.submit()
    seen: list[str] = []
    cursor = None

    while True:
        page = submitter.ask("GET", JOBS, params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        assert len(page["jobs"]) <= 2
        seen += [found["id"] for found in page["jobs"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == mine[::-1]


def test_the_filter_for_another_user_shows_nothing_more(guarded: Door, job: Job) -> None:
    nobody = Caller(guarded, "nobody")

    assert nobody.ask("GET", JOBS, params={"user": "ada"}).json() == {"jobs": [], "next_cursor": None}
    assert Caller(guarded, "owner").ask("GET", JOBS, params={"user": "ada"}).json()["jobs"][0]["id"] == job.id


def test_a_page_looks_once_at_how_long_its_job_waits(guarded: Door, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its events, attempts and logs are of the job that was let in: a count of those before it for each would cost much."""
    looks: list[str] = []
    standing = guarded.store.standing

    def counted(job: Job) -> tuple[str | None, int]:
        looks.append(job.id)
        return standing(job)

    monkeypatch.setattr(guarded.store, "standing", counted)

    answer = Caller(guarded, "team").ask("GET", f"/jobs/{job.id}", {"Accept": "text/html"})

    assert answer.status_code == 200
    assert looks == [job.id]


def test_the_history_names_who_was_proven_not_who_was_named(guarded: Door, job: Job) -> None:
    Caller(guarded, "admin").ask("POST", f"{JOBS}/{job.id}/kill", json={})

    actors = [event.actor for event in guarded.store.events(job.id)]

    assert job.user == "ada"
    assert (actors[0], actors[-1]) == ("api:olga", "api:adam")
    assert set(actors) == {"api:olga", "api:adam"}


def test_a_job_without_a_name_is_its_submitters(guarded: Door) -> None:
    answer = Caller(guarded, "ads-submitter").submit(queue=ADS, team="ads")

    assert answer.json()["user"] == "sam"
    assert answer.json()["submission"]["user"] == "sam"
    assert (
        Caller(guarded, "ads-submitter").ask("POST", f"{JOBS}/{answer.json()['id']}/kill", json={}).status_code == 200
    )


def test_a_role_of_a_group_is_had_through_the_proxy(guarded: Door, job: Job) -> None:
    headers = {"X-Forwarded-User": "nick", "X-Forwarded-Groups": "night-watch"}

    assert guarded.ask("POST", f"{JOBS}/{job.id}/kill", peer=PROXY, json={}, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("roles", "status"),
    [
        (["submitter:root.shared"], 403),
        (["submitter:root.shared", "team:risk"], 403),
        (["submitter:root.shared", "team:ads"], 201),
        (["team:ads"], 201),
        (["operator"], 201),
    ],
)
def test_a_queue_of_several_teams_makes_nobody_one_of_them(tmp_path: Path, roles: list[str], status: int) -> None:
    teams = {"ads": ["root.shared"], "risk": ["root.shared"]}
    door = Door(tmp_path, make_cluster_config("root.shared.adhoc", teams=teams), authentication="token")
    try:
        headers = {"Authorization": f"Bearer {door.token('sam', *roles)}"}
        answer = door.ask("POST", JOBS, json=door.body(queue="root.shared.adhoc", team="ads"), headers=headers)
        written = len(door.store.jobs(JobFilter(), limit=9).jobs)
    finally:
        door.store.close()

    assert (answer.status_code, written) == (status, int(status == 201)), answer.text
    if status == 403:
        assert "being a submitter of team ads" in answer.json()["detail"]


def test_a_key_is_its_users_own_and_in_nobody_elses_way(guarded: Door) -> None:
    key = {"Idempotency-Key": "k-1"}
    body = guarded.body(queue=ADS, team="ads")
    first = Caller(guarded, "ads-submitter").ask("POST", JOBS, key, json=body)
    again = Caller(guarded, "ads-submitter").ask("POST", JOBS, key, json=body)
    other = Caller(guarded, "team").ask("POST", JOBS, key, json=body)

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 201)
    assert again.json()["id"] == first.json()["id"] != other.json()["id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *((method.upper(), path) for path, calls in openapi()["paths"].items() for method in calls),
        ("GET", "/"),
        ("GET", "/jobs/{job_id}"),
        ("POST", "/jobs/{job_id}/kill"),
        ("GET", "/jobs/{job_id}/attempts/1/driver.log"),
        ("GET", "/api/openapi.json"),
        ("GET", "/there/is/nothing"),
        ("POST", "/logout"),
        ("HEAD", JOBS),
        ("OPTIONS", JOBS),
    ],
)
def test_nothing_but_the_open_addresses_answers_without_a_token(
    guarded: Door, job: Job, method: str, path: str
) -> None:
    before = guarded.rows()
    where = path.format(job_id=job.id, token_id="x" * 10, name="local", path=ADS)

    answer = guarded.ask(method, where, json=guarded.body() if method == "POST" else None)

    if path in OPEN:
        assert answer.status_code == 200
        return
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    if method != "HEAD":
        assert answer.json()["code"] == "not-authenticated"
    assert guarded.rows() == before


def test_the_open_addresses_are_these() -> None:
    assert {"/healthz", "/readyz", "/metrics", "/login"} == OPEN


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YWRhOnB3",
        "Bearer garbage",
        "Bearer archer_aaaaaaaaaa_" + "A" * 43,
        "Bearer archer_aaaaaaaaaa_" + "A" * 42,
        "Bearer archer_" + "a" * 100_000,
        "Bearer \xff\xfe",
        "Bearer archer_aaaaaaaaaa_' OR 1=1 --",
    ],
)
def test_a_bad_token_is_401_and_is_not_repeated(guarded: Door, authorization: str) -> None:
    answer = guarded.get(JOBS, headers=[("Authorization", authorization.encode("latin-1"))])

    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")
    assert "archer_a" not in answer.text
    assert "garbage" not in answer.text


def test_a_good_token_beside_another_header_of_the_same_name_is_refused(guarded: Door) -> None:
    good = f"Bearer {guarded.token('adam', 'admin')}"

    assert guarded.get(JOBS, headers=[("Authorization", good)]).status_code == 200
    assert guarded.get(JOBS, headers=[("Authorization", "Bearer x"), ("Authorization", good)]).status_code == 401


def test_an_altered_token_is_refused(guarded: Door) -> None:
    secret = guarded.token("adam", "admin")
    other = guarded.token("eve", "viewer")
    mixed = f"archer_{other.split('_')[1]}_{secret.split('_')[2]}"

    for wrong in (secret[:-1], secret + "A", secret.swapcase(), mixed, secret.replace("archer", "Archer")):
        assert guarded.get(JOBS, headers={"Authorization": f"Bearer {wrong}"}).status_code == 401
    assert guarded.get(JOBS, headers={"Authorization": f"bearer {secret}"}).status_code == 200


def test_a_token_ends_at_its_time(guarded: Door) -> None:
    headers = {"Authorization": f"Bearer {guarded.token('vera', 'viewer', expires_in_seconds=60)}"}

    guarded.clock.advance(59)
    assert guarded.get(JOBS, headers=headers).status_code == 200
    guarded.clock.advance(1)
    assert guarded.get(JOBS, headers=headers).status_code == 401


def test_a_revoked_token_ends_at_once_on_the_server_that_revoked_it(guarded: Door) -> None:
    admin = Caller(guarded, "admin")
    secret = guarded.token("vera", "viewer")
    headers = {"Authorization": f"Bearer {secret}"}
    assert guarded.get(JOBS, headers=headers).status_code == 200

    answer = admin.ask("POST", f"/api/v1/tokens/{secret.split('_')[1]}/revoke", json={})

    assert (answer.status_code, answer.content) == (204, b"")
    assert guarded.get(JOBS, headers=headers).status_code == 401


def test_a_token_made_over_the_api_works_and_its_secret_is_nowhere_kept(guarded: Door) -> None:
    admin = Caller(guarded, "admin")
    made = admin.ask("POST", "/api/v1/tokens", json={**GRANT, "expires_in_seconds": 3600}).json()
    secret = made["secret"]

    assert re.fullmatch(r"archer_[a-z2-7]{10}_[0-9A-Za-z]{43}", secret)
    assert guarded.get(JOBS, headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    listed = admin.ask("GET", "/api/v1/tokens")
    assert made["token"] in listed.json()["tokens"]
    assert secret.split("_")[2] not in listed.text
    assert not [line for line in guarded.rows() if secret.split("_")[2] in line]


def test_a_grant_is_refused_with_all_that_is_wrong_with_it(guarded: Door) -> None:
    grant = {"subject": " eve", "roles": ["root", "submitter:ads"], "expires_in_seconds": 0}
    answer = Caller(guarded, "admin").ask("POST", "/api/v1/tokens", json=grant)
    misspelt = Caller(guarded, "admin").ask("POST", "/api/v1/tokens", json={**GRANT, "role": "admin"})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    paths = [problem["path"] for problem in answer.json()["problems"]]
    assert paths == ["subject", "roles", "roles", "expires_in_seconds"]
    assert (misspelt.status_code, misspelt.json()["code"]) == (422, "invalid-input")
    assert "did you mean `roles`?" in misspelt.json()["detail"]


def test_the_local_door_makes_no_tokens(door: Door) -> None:
    answer = door.post("/api/v1/tokens", GRANT)

    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    assert "archer token create --direct" in answer.json()["detail"]


def test_with_authentication_any_host_name_is_fine(guarded: Door) -> None:
    assert guarded.get("/healthz", headers={"Host": "archer.example"}).status_code == 200
