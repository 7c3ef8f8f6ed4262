"""What Archer shows never carries a password, and stays readable otherwise."""

import pytest

from archer.redaction import MASK, is_secret_key, redact_arguments, redact_json, redact_text


@pytest.mark.parametrize(
    "key",
    [
        "spark.hadoop.fs.s3a.secret.key",
        "spark.hadoop.fs.s3a.access.key",
        "DB_PASSWORD",
        "spark.ssl.keyPassword",
        "API_KEY",
        "GITHUB_TOKEN",
        "MYSQL_PWD",
        "DB_PASS",
        "SESSION_JWT",
        "spark.my.signing.key",
        "HTTP_AUTHORIZATION",
        "spark.hadoop.fs.azure.account.key.x.dfs.core.windows.net",
    ],
)
def test_keys_that_name_a_secret_are_secret(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "spark.sql.shuffle.partitions",
        "PATH",
        "spark.hadoop.fs.s3a.aws.credentials.provider",
        "spark.app.signal",
        "idempotency_key",
        "spark.io.encryption.keySizeBits",
        "COMPASS",
        "BYPASS_CACHE",
        "spark.sql.passes",
    ],
)
def test_ordinary_keys_stay_readable(key: str) -> None:
    assert not is_secret_key(key)


def test_a_mapping_keeps_its_keys_and_loses_its_secrets() -> None:
    shown = redact_json({"DB_PASSWORD": "hunter2", "REGION": "eu-west-1", "JDBC": "jdbc:pg://u:hunter2@db/x"})

    assert shown == {"DB_PASSWORD": MASK, "REGION": "eu-west-1", "JDBC": f"jdbc:pg://u:{MASK}@db/x"}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("-Dmy.password=hunter2 -Xss4m", f"-Dmy.password={MASK} -Xss4m"),
        ("https://u:hunter2@host/a.jar", f"https://u:{MASK}@host/a.jar"),
        ("https://b/x.jar?X-Amz-Signature=ab12&a=1", f"https://b/x.jar?X-Amz-Signature={MASK}&a=1"),
        ("https://host:8080/a@b", "https://host:8080/a@b"),
        ("s3a://bucket/day=2026-11-23/", "s3a://bucket/day=2026-11-23/"),
    ],
)
def test_text_loses_passwords_only(given: str, shown: str) -> None:
    assert redact_text(given) == shown


@pytest.mark.parametrize("word", ["x", "token", "token=", "a.", "://u:", "-"])
def test_a_word_as_long_as_a_submission_may_hold_is_read_in_one_pass(word: str) -> None:
    # an expression that starts anew at every letter takes minutes for these
    long = f"--{word * (65536 // len(word))}!"

    assert redact_arguments([long, "shown"])[1] == "shown"


def test_a_secret_inside_an_ordinary_value_is_hidden_and_what_follows_is_shown() -> None:
    assert redact_text("url=https://b/x?token=abc&day=1 a=b") == f"url=https://b/x?token={MASK}&day=1 a=b"
    assert redact_text('password="a b" token= key=1') == f"password={MASK} token= key=1"


def test_arguments_lose_the_word_after_a_secret_option() -> None:
    given = ["--db-password", "hunter2", "--token=abc", "--use-token", "--day", "2026-11-23"]

    assert redact_arguments(given) == [
        "--db-password",
        MASK,
        f"--token={MASK}",
        "--use-token",
        "--day",
        "2026-11-23",
    ]


def test_a_submission_keeps_its_shape_and_loses_its_secrets() -> None:
    submission = {
        "name": "report",
        "application": {"file": "/jobs/report.py", "arguments": ["--password", "hunter2"], "jars": []},
        "environment": {"TOKEN": "abc", "LANG": "C"},
        "executor": {"instances": 2},
        "secrets": {"a": ["b", "c"]},
        "team": None,
    }

    shown = redact_json(submission)

    assert shown == {
        "name": "report",
        "application": {"file": "/jobs/report.py", "arguments": ["--password", MASK], "jars": []},
        "environment": {"TOKEN": MASK, "LANG": "C"},
        "executor": {"instances": 2},
        "secrets": {"a": [MASK, MASK]},
        "team": None,
    }
    assert submission["environment"] == {"TOKEN": "abc", "LANG": "C"}


def test_a_variable_of_a_pod_keeps_its_name_and_loses_its_secret() -> None:
    template = {"env": [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "REGION", "value": "eu-west-1"}]}

    assert redact_json(template) == {
        "env": [{"name": "DB_PASSWORD", "value": MASK}, {"name": "REGION", "value": "eu-west-1"}]
    }
