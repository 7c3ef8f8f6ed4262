"""The picture is read back as XML: what a browser would draw, and which resources each drawn thing stands for."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from moka.architecture.drawing.foot import NOT_DRAWN
from moka.architecture.environment import Architecture
from moka.architecture.picture import architecture_picture, told

from .conftest import SVG, Drawn, Templates, made, node_group, parts, sources, subnet, words

Read = Callable[[Templates], Architecture]
Without = Callable[..., Templates]


def at_the_foot(picture: ET.Element) -> str:
    """What is counted there."""
    seen = words(picture)
    return seen[seen.index(NOT_DRAWN) + 1]


def test_every_resource_is_drawn_or_counted_at_the_foot(demo: Templates, drawn: Drawn) -> None:
    picture = drawn(demo)
    everything = {f"{stack}/{logical_id}" for stack, resources in demo.items() for logical_id in resources}

    assert everything - sources(picture) == {"data/Policy"}
    assert at_the_foot(picture) == "1 SNS::TopicPolicy"


def test_a_type_that_nobody_has_heard_of_is_counted_at_the_foot(demo: Templates, drawn: Drawn) -> None:
    demo["data"]["New"] = demo["data"]["Newer"] = made("Quantum::Entangler")

    assert at_the_foot(drawn(demo)) == "2 Quantum::Entangler, 1 SNS::TopicPolicy"


@pytest.mark.parametrize(
    ("key", "word"),
    [
        ("network/Nat", "NAT gateway"),
        ("network/Address", "Elastic IP"),
        ("network/Range", "100.64.0.0/16"),
        ("network/NodesB", "100.64.128.0/17"),
        ("network/Gateway", "Internet gateway"),
        ("network/S3", "Gateway endpoint S3"),
        ("network/Sts", "sts"),
        ("cluster-c/Cluster", "Kubernetes 1.35"),
        ("cluster-c/Dns", "1 add-on"),
        ("cluster-c/ExecutorA", "r8gd r7gd 4xlarge"),
        ("cluster-c/Template", "arm64 · 80 GiB gp3"),
        ("cluster-c/Alias", "demo-secrets"),
        ("platform-c/Team", "spark-ads/spark"),
        ("platform-c/Archer", "Archer"),
        ("archer/Record", "archer.example.com"),
        ("archer/Targets", "→ demo-api:8080"),
        ("archer/Balancer", "Internal load balancer demo-archer"),
        ("archer/Database", "Aurora PostgreSQL 17.5 demo-archer"),
        ("archer/Writer", "db.serverless 1"),
        ("data/Logs", "demo-logs-…-eu-west-1"),
        ("data/Topic", "demo-alarms"),
    ],
)
def test_what_is_taken_out_of_a_template_is_gone_from_the_picture(
    key: str, word: str, demo: Templates, drawn: Drawn, without: Without
) -> None:
    stack, _, gone = key.partition("/")
    assert gone in demo[stack]
    picture = drawn(without(demo, gone))

    assert word in parts(drawn(demo))
    assert word not in parts(picture)
    assert key not in sources(picture)


def test_every_flow_has_an_arrow_and_a_line_at_the_foot(demo: Templates, read: Read, drawn: Drawn) -> None:
    picture = drawn(demo)
    for number, flow in enumerate(read(demo).flows, start=1):
        assert words(picture).count(str(number)) >= 2, "a number on the arrow and one in the list"
        assert flow.text[0].upper() + flow.text[1:] in words(picture)
        arrows = [each for each in picture.iter(f"{SVG}g") if each.get("data-of") == " ".join(dict.fromkeys(flow.of))]
        assert any(path.get("class", "").startswith("flow") for each in arrows for path in each.iter(f"{SVG}path"))


def test_zones_are_columns_in_which_all_that_is_in_them_stands(demo: Templates, drawn: Drawn) -> None:
    picture = drawn(demo)
    heads = {text.text: float(text.get("x", "0")) for text in picture.iter(f"{SVG}text")}
    left, right = heads["eu-west-1a"], heads["eu-west-1b"]

    for name, zone in (("10.0.1.0/24", left), ("100.64.0.0/17", left), ("100.64.128.0/17", right)):
        assert heads[name] == pytest.approx(zone, abs=12)
    assert right - left > 200


def test_what_exists_already_is_dashed_and_its_zone_is_not_made_up(read: Read, drawn: Drawn) -> None:
    cluster = made("EKS::Cluster", Name="demo-c", ResourcesVpcConfig={"SubnetIds": ["subnet-00c"]})
    group = node_group("driver", "eu-west-1a", "subnet-00a")
    templates: Templates = {
        "cluster-c": {"Cluster": cluster, "G": group, "S": made("EC2::SecurityGroup", VpcId="vpc-1")}
    }
    picture = drawn(templates)
    dashed = [each.get("class", "") for each in picture.iter(f"{SVG}rect") if "existing" in each.get("class", "")]

    assert {"vpc existing", "net existing"} <= set(dashed)
    assert "VPC vpc-1" in words(picture)
    assert "exists already: its ranges, routes and endpoints are not in the templates" in words(picture)
    assert {"subnet-00c", "zones not in the templates"} <= set(words(picture))


def test_a_group_whose_zone_nobody_tells_has_a_column_of_its_own(demo: Templates, drawn: Drawn) -> None:
    demo["cluster-c"]["Odd"] = made(
        "EKS::Nodegroup", ClusterName={"Ref": "Cluster"}, NodegroupName="odd", InstanceTypes=["c8g.large"]
    )

    assert {"zones not in the templates", "odd", "c8g.large"} <= set(words(drawn(demo)))


@pytest.mark.parametrize("zones", [1, 3, 6])
def test_the_picture_is_wide_enough_for_its_zones(zones: int, demo: Templates, drawn: Drawn) -> None:
    for letter in "abcdef"[:zones]:
        demo["network"][f"More{letter}"] = subnet(f"10.9.{ord(letter)}.0/24", f"eu-west-1{letter}", "load-balancer")
    picture = drawn(demo)

    width = float(picture.get("width", "0"))
    assert width >= 1120
    assert width > 1120 or zones < 4
    assert all(float(each.get("x", "0")) < width for each in picture.iter() if each.get("x"))


def test_only_a_bucket_is_a_picture_without_vpc(drawn: Drawn) -> None:
    seen = words(drawn({"data": {"B": made("S3::Bucket", BucketName="alone")}}))

    assert seen == ["Architecture of demo", "1 resource in 1 stack, read from the templates", *seen[2:]]
    assert "alone" in [part for line in seen for part in line.split(" ")]
    assert not [line for line in seen if "VPC" in line]


def test_the_picture_is_told_in_words(demo: Templates, read: Read, drawn: Drawn) -> None:
    picture = drawn(demo)
    description = picture.findtext(f"{SVG}desc") or ""

    assert picture.findtext(f"{SVG}title") == "Architecture of demo"
    assert description == told(read(demo))
    for part in (
        "AWS account 111111111111, region eu-west-1",
        "VPC demo 10.0.0.0/16 100.64.0.0/16",
        "EKS cluster demo-c, Kubernetes 1.35, node groups of pools driver, executor",
        "database demo-archer",
        "3: Archer to its database: port 5432",
    ):
        assert part in description


def test_names_with_xml_in_them_stay_text(demo: Templates, drawn: Drawn) -> None:
    demo["data"]["Logs"]["Properties"]["BucketName"] = 'a<b>&"c'

    assert any('a<b>&"c' in line for line in words(drawn(demo)))


def test_the_picture_needs_nothing_from_elsewhere_and_names_no_day_or_folder(demo: Templates, read: Read) -> None:
    text = architecture_picture(read(demo))

    assert text == architecture_picture(read(demo))
    assert re.findall(r"(?:href|src|url\()", text) == []
    assert re.findall(r"\d{4}-\d\d-\d\d|/tmp|/home", text) == []
    assert "prefers-color-scheme:dark" in text
    root = ET.fromstring(text)
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
