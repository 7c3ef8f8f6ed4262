from __future__ import annotations

from xml.etree import ElementTree as ET

from moka.architecture.drawing.page import UNTOLD, Page, Scene
from moka.architecture.drawing.tiers import PAD, control_tier, entrance_tier, other_tier, public_tier, subnet_rows
from moka.architecture.network import NatGateway, Network, Subnet


def subnet(name: str, zone: str | None, use: str = "public", *, existing: bool = False) -> Subnet:
    return Subnet(
        of=() if existing else (f"network/{name}",), name=name, use=use, zone=zone, way_out=None, existing=existing
    )


def scene() -> Scene:
    return Scene(page=Page(zones=("a", "b")))


def drawn(made: Scene) -> ET.Element:
    return ET.fromstring(f"<svg>{''.join(made.canvas.parts())}</svg>")


def places(made: Scene) -> dict[str, tuple[str | None, str | None]]:
    return {text.text or "": (text.get("x"), text.get("y")) for text in drawn(made).iter("text")}


def test_subnets_of_one_zone_stand_below_each_other_and_of_two_beside() -> None:
    made = scene()
    subnet_rows(made, 10, [subnet("a1", "a"), subnet("a2", "a"), subnet("b1", "b")])
    (x1, y1), (x2, y2), (x3, y3) = (places(made)[name] for name in ("a1", "a2", "b1"))

    assert (x1, y1) == (x2, y3)
    assert x1 != x3
    assert y1 != y2


def test_subnets_of_no_known_zone_stand_in_no_column() -> None:
    made = scene()
    bottom = subnet_rows(made, 10, [subnet("subnet-1", None, existing=True), subnet("subnet-2", None, existing=True)])
    (frame,) = drawn(made).iter("rect")

    assert frame.get("class") == "net existing"
    assert float(frame.get("width", "0")) > 700
    assert UNTOLD in places(made)
    assert bottom == 10 + float(frame.get("height", "0"))


def test_the_arrow_to_nat_gateways_ends_at_the_last_of_them() -> None:
    made = scene()
    gateways = tuple(NatGateway(of=(f"network/{zone}",), zone=zone, elastic_ip=zone == "a") for zone in ("b", "a"))
    subnets = (subnet("10.0.0.0/24", "a"), subnet("10.0.1.0/24", "b"))
    public_tier(made, 0, Network(vpc=None, subnets=subnets, nat_gateways=gateways))

    assert made.boxes["nat"].x == made.page.column("b", 0, 0).x
    assert [text.text for text in drawn(made).iter("text")].count("Elastic IP") == 1


def test_empty_tiers_take_no_room() -> None:
    made, nothing = scene(), Network(vpc=None)

    assert public_tier(made, 50, nothing) == 50
    assert entrance_tier(made, 50, nothing, (), ()) == 50
    assert control_tier(made, 50, nothing, ()) == 50
    assert other_tier(made, 50, nothing) == 50
    assert list(made.canvas.parts()) == []


def test_a_subnet_of_no_known_purpose_is_drawn_all_the_same() -> None:
    made = scene()
    bottom = other_tier(made, 0, Network(vpc=None, subnets=(subnet("10.9.0.0/24", "a", "other"),)))

    assert {"Other subnets", "10.9.0.0/24"} <= set(places(made))
    assert bottom > 2 * PAD
