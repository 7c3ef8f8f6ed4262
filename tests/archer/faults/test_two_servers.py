"""Several servers on one data folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.archer.faults.conftest import Archers


def test_two_servers_run_twenty_jobs_once_each(archers: Archers) -> None:
    app = archers.counting_application()
    archers.let_go()
    servers = [archers.serve("--slots", "4"), archers.serve("--slots", "4")]
    jobs = [servers[number % 2].submit(app, f"job-{number}") for number in range(20)]

    ends = [servers[0].wait(job)["state"] for job in jobs]

    assert ends == ["SUCCEEDED"] * 20
    assert sorted(archers.lines()) == sorted(f"job-{number}" for number in range(20))


def test_the_other_server_takes_over_when_one_is_killed(archers: Archers) -> None:
    app = archers.counting_application()
    one, other = archers.serve("--slots", "2"), archers.serve("--slots", "2")
    jobs = [one.submit(app, f"job-{number}") for number in range(6)]
    one.wait(jobs[0], "RUNNING")

    one.kill_hard()
    archers.let_go()

    assert [other.wait(job)["state"] for job in jobs] == ["SUCCEEDED"] * 6
    assert sorted(archers.lines()) == [f"job-{number}" for number in range(6)]


def test_roles_in_separate_processes_make_one_archer(archers: Archers) -> None:
    api = archers.serve("--roles", "api")
    job = api.submit(archers.counting_application(), "split")
    archers.let_go()
    assert api.job(job)["state"] == "QUEUED"

    both = archers.serve("--roles", "api,dispatcher,tracker")

    assert api.wait(job)["state"] == "SUCCEEDED"
    both.terminate()
    assert api.http.get("/healthz").status_code == 200


def test_a_taken_port_leads_to_the_next_free_one_or_to_a_refusal(archers: Archers) -> None:
    first = archers.serve()
    port = first.url.rpartition(":")[2]

    second = archers.serve("--port", port, data="other")

    assert second.url != first.url
    assert f"port {port} is taken" in second.log.read_text()


def test_a_server_that_goes_takes_only_its_own_announcement_with_it(archers: Archers) -> None:
    stays, goes = archers.serve(), archers.serve()

    goes.terminate()

    def announced() -> bool:
        path = stays.data / "server.json"
        return path.exists() and stays.url in path.read_text()

    assert archers.until(announced, what="server.json of the one that stays")
