from collections.abc import Callable
from typing import Any

from moka_constructs import VpcEndpoints, VpcEndpointsProps

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]


def props(*services: str) -> VpcEndpointsProps:
    return VpcEndpointsProps(
        region="eu-west-1",
        name="moka-test",
        vpc_id="vpc-1",
        vpc_cidrs=("10.0.0.0/20", "100.64.0.0/16"),
        route_table_ids=("rtb-1", "rtb-2"),
        subnet_ids=("subnet-1", "subnet-2"),
        services=services,
    )


def test_s3_needs_no_interface_no_group_and_no_money(template: Template) -> None:
    (endpoint,) = template(lambda stack: VpcEndpoints(stack, "Endpoints", props())).values()

    assert endpoint["Properties"]["VpcEndpointType"] == "Gateway"
    assert endpoint["Properties"]["ServiceName"] == "com.amazonaws.eu-west-1.s3"
    assert endpoint["Properties"]["RouteTableIds"] == ["rtb-1", "rtb-2"]


def test_services_with_dots_and_dashes_become_ids_and_keep_their_names(template: Template) -> None:
    resources = template(lambda stack: VpcEndpoints(stack, "Endpoints", props("ecr.api", "eks-auth")))
    interfaces = {
        key: each["Properties"]
        for key, each in resources.items()
        if each["Properties"].get("VpcEndpointType") == "Interface"
    }

    assert {each["ServiceName"] for each in interfaces.values()} == {
        "com.amazonaws.eu-west-1.ecr.api",
        "com.amazonaws.eu-west-1.eks-auth",
    }
    assert any(key.startswith("EndpointsEcrApi") for key in interfaces)
    assert any(key.startswith("EndpointsEksAuth") for key in interfaces)


def test_the_group_admits_https_from_the_vpc_and_lets_nothing_out(template: Template) -> None:
    resources = template(lambda stack: VpcEndpoints(stack, "Endpoints", props("sts")))
    (group,) = (each["Properties"] for each in resources.values() if each["Type"] == "AWS::EC2::SecurityGroup")

    assert [rule["CidrIp"] for rule in group["SecurityGroupIngress"]] == ["10.0.0.0/20", "100.64.0.0/16"]
    (nothing,) = group["SecurityGroupEgress"]
    assert nothing["CidrIp"] == "255.255.255.255/32"
