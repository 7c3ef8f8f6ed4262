"""What a browser gets, without JavaScript: every fact, escaped, masked, and from this server alone."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from archer.model import Category, Diagnosis, JobState

if TYPE_CHECKING:
    from tests.archer.conftest import HandDriven

S = JobState
VOID = {"meta", "link", "input", "br", "wbr", "path", "circle"}


class Page(HTMLParser):
    """Reads a page strictly: every tag closed, in order. Keeps its text, its tags with attributes, and its rows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.rows: list[list[str]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []
        self.rows = [[" ".join(cell.split()) for cell in row] for row in self.rows]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in {"title", "script"}:
            self.words.append(data)
        if {"td", "th"} & set(self._open):
            self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def attribute(self, name: str) -> list[str]:
        return [str(attributes[name]) for _, attributes in self.tags if name in attributes]


def title(html: str) -> str:
    found = re.search(r"<title>(.*?)</title>", html)
    assert found is not None
    return found.group(1)


def test_the_list_shows_every_state_with_its_word_and_a_shape(by_hand: HandDriven) -> None:
    by_hand.one_of_each()

    html = by_hand.get("/")

    rows = {row[0].split(" ")[0]: row for row in Page(html).rows[1:]}
    assert {name: row[1] for name, row in rows.items()} == {
        "job-queued": "Queued",
        "job-submitting": "Submitting",
        "job-submitted": "Submitted",
        "job-running": "Running",
        "job-retry-wait": "Retry soon",
        "job-cancelling": "Cancelling",
        "job-lost": "Lost",
        "job-succeeded": "Succeeded",
        "job-failed": "Failed",
        "job-cancelled": "Cancelled",
    }
    assert html.count('<span class="state ') == html.count('aria-hidden="true"><') - 1  # one is the brand's
    assert title(html) == "Jobs · Archer"


def test_a_row_names_user_queue_attempt_and_why_it_failed(by_hand: HandDriven) -> None:
    job = by_hand.submit("sessionize", user="ada", queue="root.etl", retry={"max_attempts": 3})
    by_hand.fail(job)

    page = Page(by_hand.get("/"))

    row = page.rows[1]
    assert row[0] == f"sessionize {job.id} KeyError: 'session' at job.py:42"
    assert row[1:5] == ["Failed", "ada", "root.etl", "1 of 3"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row[5])
    assert re.fullmatch(r"(\d+m )?\d+(\.\d)?s", row[6])
    assert f"/jobs/{job.id}" in page.attribute("href")


def test_an_empty_archer_says_how_to_begin(by_hand: HandDriven) -> None:
    assert "No jobs yet" in Page(by_hand.get("/")).text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state=FAILED", ["bad"]),
        ("state=FAILED&state=QUEUED", ["other", "bad"]),
        ("name=other", ["other"]),
        ("queue=root.etl", ["bad"]),
        ("user=grace", ["other"]),
        # what the form sends when nothing is filled in
        ("state=&name=&queue=&user=", ["other", "bad"]),
        ("state=FAILED&user=grace", []),
    ],
)
def test_the_form_narrows_the_list(by_hand: HandDriven, query: str, names: list[str]) -> None:
    by_hand.fail(by_hand.submit("bad", queue="root.etl", user="ada"))
    by_hand.submit("other", user="grace")

    page = Page(by_hand.get(f"/?{query}"))

    assert [row[0].split(" ")[0] for row in page.rows[1:]] == names
    assert ("No job matches" in page.text) == (not names)


def test_the_form_keeps_what_was_asked(by_hand: HandDriven) -> None:
    page = Page(by_hand.get("/?state=LOST&name=a%22b&queue=root.x"))

    fields = {attributes["name"]: attributes.get("value") for tag, attributes in page.tags if tag == "input"}
    chosen = [attributes["value"] for tag, attributes in page.tags if tag == "option" and "selected" in attributes]
    assert fields == {"name": 'a"b', "queue": "root.x", "user": ""}
    assert chosen == ["LOST"]


def test_older_jobs_are_one_link_away_and_keep_the_filter(by_hand: HandDriven) -> None:
    for number in range(51):
        by_hand.submit(f"n{number}", queue="root.many")

    first = Page(by_hand.get("/?queue=root.many"))
    older = next(url for url in first.attribute("href") if "cursor=" in url)
    second = Page(by_hand.get(older))

    assert len(first.rows) == 51
    assert [row[0].split(" ")[0] for row in second.rows[1:]] == ["n0"]
    assert older.startswith("/?queue=root.many&")
    assert "/?queue=root.many" in second.attribute("href")


@pytest.mark.parametrize(
    ("query", "said"),
    [("state=DONE", "<code>state</code> must be one of QUEUED"), ("cursor=nonsense", "<code>cursor</code> must be")],
)
def test_a_filter_that_makes_no_sense_is_a_page_that_says_so(by_hand: HandDriven, query: str, said: str) -> None:
    answer = by_hand.ask(f"/?{query}")

    assert answer.status_code == 422
    assert said in answer.text


def test_the_counts_lead_to_each_state(by_hand: HandDriven) -> None:
    by_hand.submit("a")
    by_hand.submit("b", queue="root.x")
    by_hand.fail(by_hand.submit("c"))

    html = by_hand.get("/")

    counts = re.findall(r'href="/\?state=(\w+)".*?<b>(\d+)</b>', html)
    assert counts == [("QUEUED", "2"), ("FAILED", "1")]


def test_a_failed_job_says_why_and_what_to_do(by_hand: HandDriven) -> None:
    job = by_hand.submit("sessionize", retry={"max_attempts": 2})
    by_hand.fail(job, driver="INFO starting\nERROR KeyError: 'session'\n", stdout="rows: 12\n")

    html = by_hand.get(f"/jobs/{job.id}")
    text = Page(html).text

    assert title(html) == "sessionize failed · Archer"
    for words in (
        "KeyError: 'session' at job.py:42 It failed and is not tried again. user-error exit code 1",
        "What to do Fix the application at job.py:42 and submit it again",
        "Traceback (most recent call last):",
        "ERROR KeyError: 'session'",
        "rows: 12",
        "tracker:one, attempt 1",
    ):
        assert words in text
    assert "http://127.0.0.1:18080/history/local-1/jobs/" in Page(html).attribute("href")
    assert f"/jobs/{job.id}/attempts/1/driver.log" in Page(html).attribute("href")


def test_a_running_job_leads_to_sparks_own_page_and_a_finished_one_does_not(by_hand: HandDriven) -> None:
    job = by_hand.submit()
    by_hand.run(job)

    running = by_hand.get(f"/jobs/{job.id}")
    by_hand.change(job, S.SUCCEEDED)
    finished = by_hand.get(f"/jobs/{job.id}")

    assert "Live Spark UI" in Page(running).text
    assert "http://127.0.0.1:4040" in Page(running).attribute("href")
    assert "<body data-refresh>" in running
    assert "Live Spark UI" not in Page(finished).text
    assert "<body data-refresh>" not in finished


def test_every_state_has_a_job_page_in_plain_words(by_hand: HandDriven) -> None:
    jobs = by_hand.one_of_each()

    sentences = {
        S.QUEUED: "Waiting in queue root.default.",
        S.SUBMITTING: "Archer is handing the job to cluster local.",
        S.SUBMITTED: "Cluster local has the job; Spark has not reported yet.",
        S.RUNNING: "Spark is running the job.",
        S.RETRY_WAIT: "The job failed in a way worth repeating; the next one starts soon.",
        S.CANCELLING: "Somebody asked for its end; cluster local has not confirmed yet that it is gone.",
        S.LOST: "The job vanished without a result; Archer decides whether to try again.",
        S.SUCCEEDED: "Spark finished it successfully.",
        S.FAILED: "It failed and is not tried again.",
        S.CANCELLED: "It was stopped on request.",
    }
    assert {
        state: sentence
        for state, sentence in sentences.items()
        if sentence in Page(by_hand.get(f"/jobs/{jobs[state].id}")).text
    } == sentences


def test_an_earlier_attempts_log_can_be_looked_at(by_hand: HandDriven) -> None:
    job = by_hand.submit(retry={"max_attempts": 2})
    by_hand.run(job, driver="first try\n")
    by_hand.change(job, S.RETRY_WAIT, attempt_state=S.FAILED)
    by_hand.start(job, number=2, driver="second try\n")

    assert "second try" in by_hand.get(f"/jobs/{job.id}")
    assert "first try" in by_hand.get(f"/jobs/{job.id}?attempt=1")
    assert by_hand.ask(f"/jobs/{job.id}?attempt=3").status_code == 404


def test_a_job_is_found_by_number_and_emr_id_too(by_hand: HandDriven) -> None:
    job = by_hand.submit("report")

    assert (
        title(by_hand.get(f"/jobs/{job.number}"))
        == title(by_hand.get(f"/jobs/{job.emr_id}"))
        == "report queued · Archer"
    )


SCRIPT = "<script>alert('x')</script>"


def test_markup_in_a_job_is_text(by_hand: HandDriven) -> None:
    evil = Diagnosis(category=Category.USER_ERROR, summary=SCRIPT, detail=SCRIPT, resolution=SCRIPT, exit_code=1)
    job = by_hand.submit(
        arguments=(SCRIPT, '"><img src=x onerror=alert(1)>'), user="<b>ada</b>", conf={"spark.a": SCRIPT}
    )
    by_hand.fail(job, evil, driver=SCRIPT, stdout=SCRIPT)

    for html in (by_hand.get("/"), by_hand.get(f"/jobs/{job.id}"), by_hand.get("/?name=%3Cscript%3E")):
        page = Page(html)
        assert [attributes for tag, attributes in page.tags if tag == "script"] == [
            {"src": page.attribute("src")[0], "defer": None}
        ]
        assert not {"img", "b"} & {tag for tag, _ in page.tags if tag != "b" or "counts" not in html}
    assert Page(by_hand.get(f"/jobs/{job.id}")).text.count(SCRIPT) >= 6


def test_secrets_are_masked_everywhere_on_the_page(by_hand: HandDriven) -> None:
    job = by_hand.submit(
        arguments=("--password", "hunter2", "--token=hunter2", "jdbc:pg://ada:hunter2@db/x"),
        conf={"spark.hadoop.fs.s3a.secret.key": "hunter2", "spark.x": "visible"},
        environment={"API_TOKEN": "hunter2"},
    )

    leak = Diagnosis(
        category=Category.SUBMIT_ERROR,
        summary="bad password=hunter2",
        detail="jdbc:pg://ada:hunter2@db/x",
        resolution="change --token=hunter2",
    )
    by_hand.run(job)
    by_hand.change(job, S.FAILED, message="exit of x --password=hunter2", diagnosis=leak)

    html = by_hand.get(f"/jobs/{job.id}")

    assert "hunter2" not in html + by_hand.get("/")
    assert "API_TOKEN = ********" in html
    assert "spark.x = visible" in html


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example", "ftp://x"],
    ids=["script", "data", "relative", "ftp"],
)
def test_a_link_that_spark_reported_is_followed_only_over_http(by_hand: HandDriven, url: str) -> None:
    job = by_hand.submit()
    by_hand.start(job)
    by_hand.change(job, S.RUNNING, ui_url=url)

    assert url not in Page(by_hand.get(f"/jobs/{job.id}")).attribute("href")


def test_a_whole_log_is_plain_text_of_any_length(by_hand: HandDriven) -> None:
    # longer than a piece, with characters of several bytes across the pieces' borders
    text = "Größe €𝄞 " * 60_000
    job = by_hand.submit()
    by_hand.start(job, driver=text, stdout="")

    answer = by_hand.ask(f"/jobs/{job.id}/attempts/1/driver.log")

    assert answer.text == text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert by_hand.ask(f"/jobs/{job.id}/attempts/1/stdout.log").text == ""


@pytest.mark.parametrize(
    "path",
    [
        "/jobs/j-nope",
        "/jobs/1",
        "/jobs/x/attempts/1/driver.log",
        "/jobs/..%252f..%252fetc/attempts/1/driver.log",
        "/static/x",
        "/foo",
        "/<i>",
    ],
)
def test_what_is_not_there_is_a_page_with_status_404(by_hand: HandDriven, path: str) -> None:
    answer = by_hand.ask(path)

    assert (answer.status_code, title(answer.text)) == (404, "Not found · Archer")
    assert "To the list of jobs" in Page(answer.text).text


def test_an_attempt_that_is_not_there_has_no_log(by_hand: HandDriven) -> None:
    job = by_hand.submit()

    assert by_hand.ask(f"/jobs/{job.id}/attempts/1/driver.log").status_code == 404
    assert by_hand.ask(f"/jobs/{job.id}/attempts/one/driver.log").status_code == 422
    assert by_hand.ask(f"/jobs/{job.id}/attempts/1/passwords.log").status_code == 422


def test_a_broken_store_is_a_page_with_status_503(by_hand: HandDriven) -> None:
    by_hand.store.close()
    by_hand.database_file.unlink()
    by_hand.database_file.mkdir()

    for path in ("/", "/jobs/1"):
        answer = by_hand.ask(path)
        assert (answer.status_code, title(answer.text)) == (503, "The job store does not answer · Archer")
        assert int(answer.headers["retry-after"]) > 0
        assert "Jobs that run are not affected" in Page(answer.text).text


def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline(by_hand: HandDriven) -> None:
    job = by_hand.submit()
    by_hand.fail(job, driver="x")

    for path in ("/", f"/jobs/{job.id}", "/jobs/none"):
        answer = by_hand.ask(path)
        page = Page(answer.text)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'self'; ")
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert not page.attribute("style")
        assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
        assert "style" not in {tag for tag, _ in page.tags}
        for url in page.attribute("src") + [str(a["href"]) for tag, a in page.tags if tag == "link"]:
            assert by_hand.ask(url).headers["cache-control"] == "public, max-age=31536000, immutable"
            assert url.startswith("/static/")


def test_pages_can_be_used_with_a_screen_reader_and_a_keyboard(by_hand: HandDriven) -> None:
    job = by_hand.submit()
    by_hand.fail(job, driver="x", stdout="y")

    for path in ("/", f"/jobs/{job.id}"):
        page = Page(by_hand.get(path))
        ids = page.attribute("id")
        assert len(ids) == len(set(ids))
        assert set(" ".join(page.attribute("aria-labelledby")).split()) <= set(ids)
        assert {attributes.get("scope") for tag, attributes in page.tags if tag == "th"} <= {"col", "row"}
        assert [tag for tag, _ in page.tags].count("h1") == 1
        assert ("a", {"class": "skip", "href": "#main"}) in page.tags
        assert "main" in ids


def test_the_page_needs_no_history_server(by_hand: HandDriven) -> None:
    job = by_hand.submit()
    by_hand.fail(job)
    by_hand.history_server = None

    assert "History" not in Page(by_hand.get(f"/jobs/{job.id}")).text
