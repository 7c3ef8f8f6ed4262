"""A submission reads as a table of what was set, complete and without secrets."""

import json

import pytest

from archer.submission import Submission
from archer.web.views import submission_json, submission_pairs, web_link


def test_a_small_submission_shows_only_what_it_says() -> None:
    submission = Submission.model_validate({"name": "a", "application": {"file": "/a.py"}}).model_dump(mode="json")

    assert submission_pairs(submission) == [
        ("Application", "/a.py"),
        ("Driver", "1 core, 1g"),
        ("Executors", "1 \N{MULTIPLICATION SIGN} 1 core, 1g"),
        ("Attempts at most", "1"),
    ]


def test_a_full_submission_shows_everything_masked() -> None:
    given = {
        "name": "a",
        "team": "ml",
        "application": {
            "file": "/a.jar",
            "main_class": "a.Main",
            "arguments": ["--token", "hunter2", ""],
            "py_files": ["/b.py"],
            "jars": ["/c.jar"],
            "files": ["/d"],
            "archives": ["/e.zip"],
        },
        "spark_version": "4.0",
        "image": "spark:4",
        "profile": "big",
        "parameters": {"day": "1"},
        "cluster": "blue",
        "driver": {"cores": 2, "memory": "2g", "memory_overhead": "1g"},
        "executor": {"instances": 3, "cores": 4, "memory": "8g"},
        "conf": {"spark.b": "2", "spark.a": "1"},
        "environment": {"DB_PASSWORD": "hunter2"},
        "timeouts": {"run_seconds": 60, "queue_seconds": 5},
        "labels": {"cost": "7"},
        "idempotency_key": "k",
    }
    submission = Submission.model_validate(given).model_dump(mode="json")

    assert submission_pairs(submission) == [
        ("Application", "/a.jar"),
        ("Main class", "a.Main"),
        ("Arguments", ["--token", "********", ""]),
        ("Python files", ["/b.py"]),
        ("Jars", ["/c.jar"]),
        ("Files", ["/d"]),
        ("Archives", ["/e.zip"]),
        ("Driver", "2 cores, 2g + 1g beside the heap"),
        ("Executors", "3 \N{MULTIPLICATION SIGN} 4 cores, 8g"),
        ("Spark settings", ["spark.a = 1", "spark.b = 2"]),
        ("Environment", ["DB_PASSWORD = ********"]),
        ("Parameters", ["day = 1"]),
        ("Labels", ["cost = 7"]),
        ("Limits", ["waiting: 5 s", "running: 60 s"]),
        ("Attempts at most", "1"),
        ("Spark version", "4.0"),
        ("Image", "spark:4"),
        ("Profile", "big"),
        ("Cluster", "blue"),
        ("Idempotency key", "k"),
    ]
    assert "hunter2" not in submission_json(submission)
    assert json.loads(submission_json(submission))["application"]["main_class"] == "a.Main"


def test_priority_shuffle_and_executors_that_come_and_go_are_said_in_words() -> None:
    executor = {"instances": 2, "min_instances": 2, "max_instances": 40, "memory": "8g", "capacity": "on_demand"}
    given = {"name": "a", "application": {"file": "/a.py"}, "priority": -3, "shuffle": "celeborn", "executor": executor}
    found = dict(submission_pairs(Submission.model_validate(given).model_dump(mode="json")))

    assert found["Executors"] == "2 to 40 \N{MULTIPLICATION SIGN} 1 core, 8g, on on-demand nodes"
    assert (found["Priority"], found["Shuffle"]) == ("-3", "celeborn")


def test_a_field_of_a_later_version_is_shown_under_its_name() -> None:
    assert ("Night only", "true") in submission_pairs({"application": {"file": "/a.py"}, "night_only": True})


@pytest.mark.parametrize("url", ["http://127.0.0.1:4040", "https://history/x"])
def test_web_addresses_are_links(url: str) -> None:
    assert web_link(url) == url


@pytest.mark.parametrize("url", [None, "", "javascript:alert(1)", "//host", "/path", "HTTP"])
def test_anything_else_is_not(url: str | None) -> None:
    assert web_link(url) is None
