from __future__ import annotations

from typing import Any

from archer.kubernetes.mirror import Mirror, name_of, namespaced_name_of

Change = tuple[str, str | None, str | None]


class Mirrored:
    """A mirror of states, and what it told."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.mirror: Mirror[str] = Mirror(
            "ads",
            project=lambda thing: str(thing["state"]),
            key=name_of,
            on_change=lambda *change: self.changes.append(change),
        )

    def listed(self, *pages: list[dict[str, Any]]) -> None:
        self.mirror.begin()
        for page in pages:
            self.mirror.take(page)
        self.mirror.finish()

    def new_changes(self) -> list[Change]:
        found, self.changes[:] = list(self.changes), []
        return found


def thing(name: str, state: str, uid: str = "u") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "spark-ads", "uid": uid}, "state": state, "much more": "x" * 1000}


def test_a_list_tells_exactly_what_differs() -> None:
    ads = Mirrored()
    ads.listed([thing("a", "1"), thing("b", "1")], [thing("c", "1")])
    assert ads.new_changes() == [("a", None, "1"), ("b", None, "1"), ("c", None, "1")]

    ads.listed([thing("b", "2")], [thing("c", "1"), thing("d", "1")])

    assert ads.new_changes() == [("a", "1", None), ("b", "1", "2"), ("d", None, "1")]
    assert ads.mirror.items() == [("b", "2"), ("c", "1"), ("d", "1")]


def test_a_list_that_was_not_finished_changes_nothing() -> None:
    ads = Mirrored()
    ads.listed([thing("a", "1")])
    ads.mirror.begin()
    ads.mirror.take([thing("b", "1")])
    ads.listed([thing("a", "1"), thing("c", "1")])

    assert ads.new_changes() == [("a", None, "1"), ("c", None, "1")]


def test_an_object_replaced_by_its_twin_is_told_as_gone_and_as_new() -> None:
    ads = Mirrored()
    ads.listed([thing("a", "1", uid="first")])
    ads.listed([thing("a", "1", uid="second")])
    ads.mirror.put(thing("a", "2", uid="third"))

    assert ads.new_changes() == [
        ("a", None, "1"),
        ("a", "1", None),
        ("a", None, "1"),
        ("a", "1", None),
        ("a", None, "2"),
    ]


def test_a_change_beside_the_point_is_not_told() -> None:
    ads = Mirrored()
    ads.mirror.put(thing("a", "1"))
    ads.mirror.put({**thing("a", "1"), "much more": "y"})

    assert ads.new_changes() == [("a", None, "1")]


def test_the_end_of_what_was_never_known_is_not_told() -> None:
    ads = Mirrored()
    ads.mirror.remove(thing("a", "1"))

    assert ads.new_changes() == []


def test_a_deletion_is_told_after_the_last_state() -> None:
    ads = Mirrored()
    ads.mirror.put(thing("a", "1"))
    ads.mirror.remove(thing("a", "2"))

    assert ads.new_changes() == [("a", None, "1"), ("a", "1", "2"), ("a", "2", None)]
    assert len(ads.mirror) == 0


def test_what_is_told_can_be_read_at_that_moment() -> None:
    read: list[str | None] = []
    mirror: Mirror[str] = Mirror(
        "ads",
        project=lambda each: str(each["state"]),
        key=name_of,
        on_change=lambda key, *_: read.append(mirror.get(key)),
    )
    mirror.put(thing("a", "1"))
    mirror.remove(thing("a", "1"))

    assert read == ["1", None]


def test_an_object_that_a_list_shows_unreadable_keeps_what_was_understood() -> None:
    ads = Mirrored()
    broken = {"metadata": {"name": "a", "uid": "u"}}
    ads.listed([thing("a", "1")])
    ads.listed([broken, thing("b", "1")])
    ads.mirror.put(broken)

    assert ads.new_changes() == [("a", None, "1"), ("b", None, "1")]
    assert ads.mirror.get("a") == "1"
    assert ads.mirror.defects == 2


def test_keys_are_names_or_names_with_their_namespace() -> None:
    assert name_of(thing("a", "1")) == "a"
    assert namespaced_name_of(thing("a", "1")) == "spark-ads/a"
