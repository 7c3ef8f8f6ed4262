"""What `archer submit` sends: paths made absolute, options over the file, nothing invented."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from archer.cli.submission import absolute, absolute_all, completed, merged, read_submission
from archer.client_errors import RequestRefusedError


def test_a_path_of_this_machine_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ada")

    assert absolute("job.py") == f"{tmp_path}/job.py"
    assert absolute("env.tar.gz#env") == f"{tmp_path}/env.tar.gz#env"
    assert absolute("~/job.py") == "/home/ada/job.py"


@pytest.mark.parametrize(
    "uri", ["s3a://bucket/a.py", "local:///opt/a.py", "https://host/a.jar", "file:/a.py", "/a.py", ""]
)
def test_addresses_and_absolute_paths_stay(uri: str) -> None:
    assert absolute(uri) == uri


def test_repeated_and_comma_separated_paths_are_one_list(tmp_path: Path) -> None:
    assert absolute_all([f"{tmp_path}/a.jar,s3a://b/c.jar", "/d.jar"]) == [
        f"{tmp_path}/a.jar",
        "s3a://b/c.jar",
        "/d.jar",
    ]
    assert absolute_all(None) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("job.json", '{"application": {"file": "jobs/a.py", "jars": ["b.jar", "s3a://c/d.jar"]}}'),
        ("job.yaml", "application:\n  file: jobs/a.py\n  jars: [b.jar, 's3a://c/d.jar']\n"),
        ("job", '{"application": {"file": "jobs/a.py", "jars": ["b.jar", "s3a://c/d.jar"]}}'),
    ],
)
def test_relative_paths_in_a_file_start_at_its_folder(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)

    application = read_submission(str(tmp_path / name), io.StringIO())["application"]

    assert application == {"file": f"{tmp_path}/jobs/a.py", "jars": [f"{tmp_path}/b.jar", "s3a://c/d.jar"]}


def test_standard_input_is_read_for_a_dash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    submission = read_submission("-", io.StringIO("application: {file: a.py}"))

    assert submission == {"application": {"file": f"{tmp_path}/a.py"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"name": }', "FILE is not JSON: Expecting value: line 1 column 10 (char 9)"),
        ("[1]", "FILE must hold one object with the submission's fields, got list"),
        ("", "FILE is not JSON: Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_a_bad_json_file_is_refused_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "bad.json"
    file.write_text(text)

    with pytest.raises(RequestRefusedError) as caught:
        read_submission(str(file), io.StringIO())

    assert str(caught.value) == message.replace("FILE", str(file))


def test_bad_yaml_is_refused_with_the_place() -> None:
    with pytest.raises(RequestRefusedError) as caught:
        read_submission("-", io.StringIO("name: [a\nb: c"))

    assert str(caught.value).startswith("standard input is neither JSON nor YAML: ")
    assert str(caught.value).endswith(" at line 2, column 2")


def test_yaml_cannot_make_python_objects() -> None:
    with pytest.raises(RequestRefusedError, match="neither JSON nor YAML"):
        read_submission("-", io.StringIO("name: !!python/object/apply:os.system [id]"))


@pytest.mark.parametrize(
    ("content", "message"), [(None, "No such file or directory"), (b"\xff\xfe", "must be UTF-8 text")]
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "job.yaml"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(RequestRefusedError, match=message):
        read_submission(str(file), io.StringIO())


def test_options_win_over_the_file_key_by_key() -> None:
    base = {
        "name": "a",
        "driver": {"memory": "1g", "cores": 2},
        "conf": {"spark.a": "1"},
        "application": {"jars": ["x"]},
    }
    given: dict[str, Any] = {
        "name": None,
        "driver": {"memory": "4g", "cores": None},
        "conf": {"spark.b": "2"},
        "application": {"jars": ["y"]},
        "labels": {},
        "timeouts": {"run_seconds": None},
    }

    assert merged(base, given) == {
        "name": "a",
        "driver": {"memory": "4g", "cores": 2},
        "conf": {"spark.a": "1", "spark.b": "2"},
        "application": {"jars": ["y"]},
    }
    assert base["driver"] == {"memory": "1g", "cores": 2}


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("/srv/flight_delays.py", "flight_delays"),
        ("s3a://b/Größe 2.jar", "Gr-e-2"),
        ("/srv/_a.py", "a"),
        ("/" + "x" * 80 + ".py", "x" * 63),
    ],
)
def test_a_job_without_name_is_called_after_its_file(file: str, name: str) -> None:
    assert completed({"application": {"file": file}})["name"] == name


def test_a_given_name_and_user_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "grace")

    assert completed({"name": "n", "user": "ada", "application": {"file": "/a.py"}})["user"] == "ada"
    assert completed({"name": "n", "application": {"file": "/a.py"}}) == {
        "name": "n",
        "user": "grace",
        "application": {"file": "/a.py"},
    }


def test_a_shapeless_submission_is_left_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "grace")
    file = json.dumps({"application": 5, "driver": "big"})

    submission = completed(merged(read_submission("-", io.StringIO(file)), {"application": {"file": None}}))

    assert submission == {"application": 5, "driver": "big", "user": "grace"}
