"""Settings of `archer serve`."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from archer.errors import InvalidSettingsError
from archer.settings import ALL_ROLES, ServeSettings, load_settings
from archer.store.address import IamLogin

SUPPORTED: Mapping[str, tuple[str, object]] = {
    "backend": ("kubernetes", "kubernetes"),
    "kubeconfig": ("/etc/archer/kubeconfig", Path("/etc/archer/kubeconfig")),
    "kube_contexts": ("east=lab-east, west=arn:aws:eks:w", ("east=lab-east", "west=arn:aws:eks:w")),
    "only_clusters": ("east, west", ("east", "west")),
    "host": ("::1", "::1"),
    "port": ("9000", 9000),
    "strict_port": ("true", True),
    "authentication": ("token", ("token",)),
    "trusted_proxies": ("10.0.0.0/16, 10.1.2.3,fd00::/8", ("10.0.0.0/16", "10.1.2.3", "fd00::/8")),
    "user_header": ("X-Auth-Request-User", "X-Auth-Request-User"),
    "groups_header": ("X-Auth-Request-Groups", "X-Auth-Request-Groups"),
    "group_roles": ("oncall=operator, cn=etl=submitter:root.etl", ("oncall=operator", "cn=etl=submitter:root.etl")),
    "data": ("/srv/archer", Path("/srv/archer")),
    "database_iam": ("false", False),
    "database_master_secret": (
        "arn:aws:secretsmanager:eu-central-1:111111111111:secret:master",
        "arn:aws:secretsmanager:eu-central-1:111111111111:secret:master",
    ),
    "config": ("dist/test/archer.yaml", Path("dist/test/archer.yaml")),
    "roles": ("api, tracker", ("api", "tracker")),
    "history": ("false", False),
    "history_url": ("https://history.archer.example.com", "https://history.archer.example.com"),
    "history_port": ("9001", 9001),
    "history_memory": ("1g", "1g"),
    "slots": ("7", 7),
    "stop_on_stdin_eof": ("1", True),
    "stop_jobs_on_exit": ("1", True),
    "lease_seconds": ("2.5", 2.5),
    "dispatch_interval_seconds": ("0.2", 0.2),
    "track_interval_seconds": ("0.2", 0.2),
    "janitor_interval_seconds": ("5", 5.0),
    "cancel_grace_seconds": ("0", 0.0),
    "launch_timeout_seconds": ("5", 5.0),
    "retry_pause_seconds": ("1", 1.0),
    "idempotency_days": ("7", 7),
    "shutdown_seconds": ("3", 3.0),
    "spark_submit_command": ("numactl --localalloc spark-submit", ("numactl", "--localalloc", "spark-submit")),
    "java_home": ("/opt/java", Path("/opt/java")),
    "creates_per_minute": ("600", 600),
    "most_unacknowledged": ("50", 50),
    "most_applications": ("100", 100),
    "track_all_seconds": ("5", 5.0),
    "stuck_image_seconds": ("60", 60),
    "stuck_pending_seconds": ("120", 120),
    "sweep_seconds": ("30", 30.0),
    "sweep_after_seconds": ("60", 60),
    "log_level": ("debug", "debug"),
}
"""Every setting, with the text of its variable and the value that it must become."""


def test_every_setting_is_in_the_table_above() -> None:
    assert set(SUPPORTED) == set(ServeSettings.model_fields)


@pytest.mark.parametrize("name", SUPPORTED)
def test_a_setting_is_read_from_its_variable(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, value = SUPPORTED[name]
    monkeypatch.setenv(f"ARCHER_{name.upper()}", text)

    assert getattr(load_settings(), name) == value


def test_a_flag_beats_the_variable_and_an_absent_flag_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHER_PORT", "9000")

    assert load_settings(port=9100).port == 9100
    assert load_settings(port=None).port == 9000


def test_everything_runs_in_one_process_by_default() -> None:
    assert load_settings().roles == ALL_ROLES
    assert load_settings(roles="janitor,janitor").roles == ("janitor",)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(InvalidSettingsError) as caught:
        load_settings(port=99999, slots=0, roles="api,cook", idempotency_days=1, histroy=True)

    assert {problem.path for problem in caught.value.problems} == {
        "port",
        "slots",
        "roles.1",
        "idempotency_days",
        "histroy",
    }


@pytest.mark.parametrize("roles", ["", " , "])
def test_a_server_without_a_role_is_refused(roles: str) -> None:
    with pytest.raises(InvalidSettingsError, match="one or more of api"):
        load_settings(roles=roles)


def test_the_api_and_the_history_server_can_not_share_a_port() -> None:
    with pytest.raises(InvalidSettingsError, match="`history_port` must be another port"):
        load_settings(port=9000, history_port=9000)


def test_everything_on_disk_is_below_the_data_folder(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path)

    assert settings.database.url == f"sqlite:///{tmp_path}/archer.db"
    assert settings.attempts_folder.parent == tmp_path
    assert settings.events_folder.parent == tmp_path


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"authentication": "none,token"}, "authentication", "none alone"),
        ({"authentication": ""}, "authentication", "none alone"),
        ({"authentication": "proxy"}, "trusted_proxies", "one or more addresses"),
        ({"trusted_proxies": "0.0.0.0/0"}, "trusted_proxies", "never the whole internet"),
        ({"trusted_proxies": "::/0"}, "trusted_proxies", "never the whole internet"),
        ({"trusted_proxies": "10.0.0.1/16"}, "trusted_proxies", "addresses or networks"),
        ({"trusted_proxies": "proxy.example"}, "trusted_proxies", "addresses or networks"),
        ({"group_roles": "oncall"}, "group_roles", "with a role of"),
        ({"group_roles": "oncall=root"}, "group_roles", "submitter:<queue>"),
        ({"user_header": "X User"}, "user_header", "match"),
    ],
)
def test_a_door_that_would_let_in_too_many_is_refused(given: dict[str, str], path: str, words: str) -> None:
    with pytest.raises(InvalidSettingsError) as refused:
        load_settings(**given)

    (problem,) = refused.value.problems
    assert problem.path == path
    assert words in str(problem)


LIBPQ = {
    "PGHOST": "db.internal",
    "PGPORT": "5433",
    "PGUSER": "archer",
    "PGDATABASE": "archer",
    "AWS_REGION": "eu-central-1",
}


def test_the_database_on_kubernetes_is_the_one_that_libpqs_variables_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in LIBPQ.items():
        monkeypatch.setenv(name, value)

    address = load_settings(backend="kubernetes", database_iam=True).database

    assert address.url == "postgresql+psycopg://"
    assert address.iam == IamLogin(host="db.internal", port=5433, user="archer", region="eu-central-1")
    assert load_settings(backend="kubernetes").database.iam is None


def test_one_machine_has_a_file_whatever_libpqs_variables_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.internal")
    assert load_settings(data=tmp_path).database.url == f"sqlite:///{tmp_path}/archer.db"

    monkeypatch.delenv("PGHOST")
    assert load_settings(data=tmp_path, backend="kubernetes").database.url == f"sqlite:///{tmp_path}/archer.db"


def test_a_token_without_what_it_is_signed_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LIBPQ:
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(
        InvalidSettingsError, match="`database_iam` must be false while PGHOST, PGUSER, AWS_REGION are absent"
    ):
        load_settings(backend="kubernetes", database_iam=True)
