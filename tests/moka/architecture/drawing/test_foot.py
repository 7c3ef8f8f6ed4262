from __future__ import annotations

from xml.etree import ElementTree as ET

from moka.architecture.drawing.foot import NOT_DRAWN, draw_flow_list, draw_rest, draw_signs
from moka.architecture.drawing.page import Page, Scene
from moka.architecture.flows import Flow, Route
from moka.architecture.resources import Resources
from moka.assembly import SynthesizedStack


def resources(*kinds: str) -> Resources:
    """One resource of each kind, `data/0` and so on."""
    template = {"Resources": {str(number): {"Type": kind} for number, kind in enumerate(kinds)}}
    stack = SynthesizedStack(
        environment="demo", name="data", account="111111111111", region="eu-west-1", template=template
    )
    return Resources([stack])


def scene() -> Scene:
    return Scene(page=Page(zones=("a",)))


def words(drawn: Scene) -> list[str]:
    root = ET.fromstring(f"<svg>{''.join(drawn.canvas.parts())}</svg>")
    return [text.text or "" for text in root.iter("text")]


def test_what_is_drawn_is_not_counted_again() -> None:
    drawn = scene()
    drawn.canvas.add("<g/>", of=["data/0"])
    draw_rest(drawn, 0, resources(*["AWS::SNS::Topic"] * 3, "AWS::SNS::TopicPolicy"))

    assert words(drawn) == [NOT_DRAWN, "2 SNS::Topic, 1 SNS::TopicPolicy"]


def test_many_types_go_on_in_the_next_line() -> None:
    drawn = scene()
    bottom = draw_rest(drawn, 0, resources(*(f"AWS::Service{n}::SomeRatherLongResource" for n in range(10))))
    _, *lines = words(drawn)

    assert len(lines) > 1
    assert all(line.endswith(",") for line in lines[:-1])
    assert " ".join(lines).count("1 Service") == 10
    assert bottom > 30


def test_nothing_is_said_when_everything_is_drawn() -> None:
    drawn = scene()

    assert draw_rest(drawn, 40, resources()) == 40
    assert words(drawn) == []


def test_each_flow_is_explained_under_its_number() -> None:
    drawn = scene()
    draw_flow_list(drawn, 0, (Flow(route=Route.CALL, of=("a/B",), text="callers to the load balancer"),))

    assert words(drawn)[1:] == ["1", "Callers to the load balancer"]
    assert drawn.canvas.drawn == {"a/B"}
    assert draw_flow_list(scene(), 30, ()) == 30


def test_the_signs_are_explained_in_words() -> None:
    drawn = scene()
    draw_signs(drawn, 0)

    assert {"on demand", "spot", "exists already: the templates only name it"} <= set(words(drawn))
