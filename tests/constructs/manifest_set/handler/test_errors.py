import json

from moka_constructs.manifest_set.handler.errors import Problem, SetError, shortened


def test_a_failure_names_every_object_and_reason() -> None:
    error = SetError("applying x", [Problem("Role a/b", "forbidden"), Problem("Service a/c", "taken")])

    assert str(error) == "applying x:\n  Role a/b: forbidden\n  Service a/c: taken"


def test_a_short_text_stays_as_it_is() -> None:
    assert shortened("Role a/b: no", 100) == "Role a/b: no"


def test_a_long_text_keeps_both_its_ends_and_fits_in_json() -> None:
    text = "first object: reason\n" + 'quoted "ä" ' * 2000 + "last object: reason"

    short = shortened(text, 1000)

    assert len(json.dumps(short)) - 2 <= 1000
    assert short.startswith("first object: reason\n")
    assert short.endswith("last object: reason")
    assert " … " in short


def test_nothing_is_left_of_a_text_without_room() -> None:
    assert len(json.dumps(shortened("x" * 50, 8))) - 2 <= 8
