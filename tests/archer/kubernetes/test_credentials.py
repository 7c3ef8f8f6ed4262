from pathlib import Path

import pytest

from archer.kubernetes.credentials import FixedToken, RenewedToken, file_token
from archer.kubernetes.errors import ClusterUnreachableError


class Maker:
    """Makes tokens 1, 2, 3, … at times that the test sets."""

    def __init__(self, keep: float | None) -> None:
        self.now = 1000.0
        self.made = 0
        self.keep = keep
        self.token = RenewedToken(self.make, clock=lambda: self.now).token

    def make(self) -> tuple[str, float | None]:
        self.made += 1
        return str(self.made), self.keep


def test_a_token_is_kept_until_its_time_and_then_made_anew() -> None:
    maker = Maker(keep=600)

    assert maker.token() == "1"
    maker.now += 599
    assert maker.token() == "1"
    maker.now += 1
    assert maker.token() == "2"


def test_a_refused_token_is_made_anew_but_once_for_those_refused_together() -> None:
    maker = Maker(keep=None)
    maker.token()
    maker.now += 60

    assert [maker.token(refused=True) for _ in range(8)] == ["2"] * 8


def test_a_token_that_failed_to_be_made_is_tried_again() -> None:
    tries = [ClusterUnreachableError("no")]

    def make() -> tuple[str, None]:
        if tries:
            raise tries.pop()
        return "t", None

    token = RenewedToken(make)
    with pytest.raises(ClusterUnreachableError):
        token.token()

    assert token.token() == "t"


def test_a_token_file_that_is_written_anew_is_read_when_the_old_one_was_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old\n")
    token = file_token(file)
    assert token.token() == "old"
    file.write_text("new\n")
    token._made -= 10

    assert token.token() == "old"
    assert token.token(refused=True) == "new"


@pytest.mark.parametrize(("content", "message"), [(None, "can't read the token file"), ("\n", "is empty")])
def test_a_token_file_without_a_token_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)

    with pytest.raises(ClusterUnreachableError, match=message) as caught:
        file_token(file).token()

    assert str(file) in str(caught.value)


def test_a_token_is_not_shown() -> None:
    assert "secret" not in repr(FixedToken("secret"))
