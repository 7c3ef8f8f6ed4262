"""`KEY=VALUE` options: the last one of a key wins, and all bad ones are told at once."""

import pytest
import typer

from archer.cli.options import duration, pairs


def test_pairs_split_at_the_first_equals_sign() -> None:
    assert pairs("--conf", ["spark.a=b=c", "spark.e=", "spark.a=d"]) == {"spark.a": "d", "spark.e": ""}


def test_every_bad_pair_is_named() -> None:
    with pytest.raises(typer.BadParameter) as caught:
        pairs("--conf", ["spark.a", "=x", "ok=1"])

    assert caught.value.message == "must be KEY=VALUE, got 'spark.a', '=x'"


def test_a_bad_duration_is_a_bad_parameter() -> None:
    with pytest.raises(typer.BadParameter, match="got 'soon'"):
        duration("soon")
