"""JSON that a parser would read and half of which it would drop, or that it could not hold."""

import pytest

from archer.api.bodies import check_body
from archer.errors import MalformedRequestError


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b'{"name": "a", "name": "b"}', '"name"'),
        (b'{"conf": {"spark.a": "1", "spark.b": "2", "spark.a": "1"}}', '"spark.a"'),
        (b'[{"a": [{"b": 1, "\\u0062": 2}]}]', '"b"'),
        (b'{"\\ud800": 1, "\\ud800": 2}', '"\\ud800"'),
    ],
)
def test_a_name_given_twice_is_refused_at_any_depth(body: bytes, named: str) -> None:
    with pytest.raises(MalformedRequestError, match="more than once in one object; keep one of each") as refused:
        check_body(body)

    assert named in str(refused.value)
    assert (refused.value.status, refused.value.code) == (400, "malformed-json")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested too deeply"),
        (b"[" * 33 + b"]" * 33, "nested too deeply"),
        (b'{"conf": ' * 900 + b"1" + b"}" * 900, "nested too deeply"),
        (b'{"cores": ' + b"9" * 5000 + b"}", "too many digits"),
    ],
)
def test_what_no_parser_holds_is_refused_in_words(body: bytes, why: str) -> None:
    with pytest.raises(MalformedRequestError, match=why):
        check_body(body)


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[" * 32 + b"]" * 32, b'{"a": {"b": 1}, "b": 1}', b'[{"a": 1}, {"a": 1}]', b"{", b"\xff", b"nonsense"],
)
def test_ordinary_json_and_mistakes_that_the_framework_explains_pass(body: bytes) -> None:
    check_body(body)
