"""`moka images` as a person types it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from environments import load
from moka.images.catalog import catalog

MOKA = str(Path(sys.executable).with_name("moka"))


def moka(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = None if path is None else {"PATH": path}
    return subprocess.run([MOKA, *arguments], capture_output=True, text=True, check=False, timeout=120, env=environment)


def test_list_as_json_has_every_image_with_source_tag_digest_and_target() -> None:
    done = moka("images", "list", "dev", "--output", "json")

    assert done.returncode == 0
    assert json.loads(done.stdout) == [entry.as_json() for entry in catalog(load("dev"))]


def test_list_as_a_table_has_a_row_for_each() -> None:
    done = moka("images", "list", "prod")

    assert done.returncode == 0
    for entry in catalog(load("prod")):
        assert f" {entry.repository}:{entry.tag} " in done.stdout
    assert "moka: warning: environment prod has celeborn" in done.stderr


def test_a_push_to_the_placeholder_account_is_refused_with_what_to_edit() -> None:
    done = moka("images", "push", "dev")

    assert (done.returncode, done.stdout) == (2, "")
    assert "is the placeholder account 111111111111" in done.stderr
    assert "--dry-run" in done.stderr


def test_a_dry_run_on_the_placeholder_account_shows_the_list_and_asks_nobody() -> None:
    # without any program on PATH that could ask
    done = moka("images", "push", "dev", "--dry-run", path="/nonexistent")

    assert done.returncode == 0
    assert [line.split()[1] for line in done.stdout.splitlines()] == [entry.target for entry in catalog(load("dev"))]
    assert done.stdout.split()[0] == "build"
    assert "not asked" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("push", "dev", "--only", "pauses"), "`--only` must be one of archer, spark, "),
        (("push", "dev", "--platform", "linux/s390x"), "`--platform` must be one of linux/amd64, linux/arm64, got"),
        (("build", "--only", "pause"), "`--only` must be one of archer, spark, got pause"),
        (("push", "nope"), "nope"),
    ],
)
def test_a_wrong_option_is_bad_input(arguments: tuple[str, ...], told: str) -> None:
    done = moka("images", *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_help_of_the_group_and_of_its_words_lists_exit_codes() -> None:
    for arguments in (("images", "--help"), ("images", "push", "--help")):
        done = moka(*arguments)

        assert done.returncode == 0
        assert "Exit codes:" in done.stdout
    assert "All problems are told before anything is changed" in " ".join(
        moka("images", "push", "--help").stdout.split()
    )
