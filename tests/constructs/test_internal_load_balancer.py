from collections.abc import Callable
from typing import Any

import pytest

from moka_constructs import InternalLoadBalancer, InternalLoadBalancerProps, PropsError, Service, ZoneSubnet

Resources = dict[str, dict[str, Any]]
Template = Callable[[Callable[[Any], object]], Resources]
Only = Callable[[Resources, str], dict[str, Any]]

CERTIFICATE = "arn:aws:acm:us-east-1:111111111111:certificate/00000000-0000-4000-8000-000000000001"
NODES = "sg-00000000000000001"
BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"


def subnet(zone: str, cidr: str = "10.0.0.0/26") -> ZoneSubnet:
    return ZoneSubnet(id=f"subnet-{zone}", zone=f"us-east-1{zone}", cidr=cidr)


def service(name: str = "Api", **changes: Any) -> Service:
    given: dict[str, Any] = {
        "name": name,
        "hostname": "archer.example.com",
        "target_port": 8080,
        "target_group_name": f"moka-test-{name}",
        "health_path": "/readyz",
    }
    return Service(**{**given, **changes})


HISTORY = service("History", hostname="history.archer.example.com", target_port=18080)
LIVY = service("Livy", port=8998, target_port=8998, health_port=8080)


def props(**changes: Any) -> InternalLoadBalancerProps:
    given: dict[str, Any] = {
        "name": "moka-test-archer",
        "vpc_id": "vpc-1",
        "subnets": (subnet("a"), subnet("b")),
        "target_zones": ("us-east-1a", "us-east-1b"),
        "target_security_group_id": NODES,
        "certificate_arn": CERTIFICATE,
        "hosted_zone_id": "Z0123456789ABC",
        "services": (service(),),
        "allowed_cidrs": ("10.0.0.0/8",),
    }
    return InternalLoadBalancerProps(**{**given, **changes})


def build(template: Template, **changes: Any) -> Resources:
    return template(lambda stack: InternalLoadBalancer(stack, "Balancer", props(**changes)))


def of_kind(resources: Resources, kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in resources.values() if each["Type"] == kind]


def attributes(resources: Resources) -> dict[str, str]:
    (balancer,) = of_kind(resources, BALANCER)
    return {each["Key"]: each["Value"] for each in balancer["LoadBalancerAttributes"]}


def test_minimal_props_make_an_internal_balancer_with_one_name(template: Template, only: Only) -> None:
    resources = build(template)
    balancer = only(resources, BALANCER)["Properties"]

    assert (balancer["Scheme"], balancer["Type"], balancer["IpAddressType"]) == ("internal", "application", "ipv4")
    assert balancer["Subnets"] == ["subnet-a", "subnet-b"]
    assert attributes(resources)["deletion_protection.enabled"] == "false"
    assert attributes(resources)["access_logs.s3.enabled"] == "false"
    assert len(of_kind(resources, LISTENER)) == 1
    assert of_kind(resources, RULE) == []


def test_all_props_reach_the_template(template: Template) -> None:
    resources = build(
        template,
        prefix_list_ids=("pl-00000001",),
        idle_timeout_seconds=300,
        access_logs_bucket="moka-test-logs",
        access_logs_prefix="archer",
        deletion_protection=True,
        zonal_shift=True,
    )
    found = attributes(resources)
    (group,) = of_kind(resources, "AWS::EC2::SecurityGroup")

    assert found["idle_timeout.timeout_seconds"] == "300"
    assert found["deletion_protection.enabled"] == found["zonal_shift.config.enabled"] == "true"
    assert found["access_logs.s3.enabled"] == "true"
    assert (found["access_logs.s3.bucket"], found["access_logs.s3.prefix"]) == ("moka-test-logs", "archer")
    assert [rule.get("SourcePrefixListId") for rule in group["SecurityGroupIngress"]] == [None, "pl-00000001"]


def test_every_listener_ends_tls_with_the_given_certificate(template: Template) -> None:
    listeners = of_kind(build(template, services=(service(), HISTORY, LIVY)), LISTENER)

    assert {each["Port"] for each in listeners} == {443, 8998}
    for listener in listeners:
        assert listener["Protocol"] == "HTTPS"
        assert listener["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2-Res-")
        assert listener["Certificates"] == [{"CertificateArn": CERTIFICATE}]


def test_services_of_one_port_are_told_apart_by_host_name(template: Template, only: Only) -> None:
    resources = build(template, services=(service(), HISTORY, LIVY))
    names = {
        logical_id: each["Properties"]["Name"]
        for logical_id, each in resources.items()
        if "TargetGroup" in each["Type"]
    }
    by_port = {
        each["Port"]: names[each["DefaultActions"][0]["TargetGroupArn"]["Ref"]] for each in of_kind(resources, LISTENER)
    }
    rule = only(resources, RULE)["Properties"]

    assert by_port == {443: "moka-test-Api", 8998: "moka-test-Livy"}
    (condition,) = rule["Conditions"]
    assert condition["HostHeaderConfig"]["Values"] == ["history.archer.example.com"]
    assert names[rule["Actions"][0]["TargetGroupArn"]["Ref"]] == "moka-test-History"


def test_every_name_has_one_record_that_follows_the_balancer(template: Template) -> None:
    resources = build(template, services=(service(), HISTORY, LIVY))
    records = {each["Name"]: each for each in of_kind(resources, "AWS::Route53::RecordSet")}

    assert set(records) == {"archer.example.com.", "history.archer.example.com."}
    for record in records.values():
        assert (record["Type"], record["HostedZoneId"]) == ("A", "Z0123456789ABC")
        assert record["AliasTarget"]["DNSName"]["Fn::GetAtt"][1] == "DNSName"
        assert record["AliasTarget"]["HostedZoneId"]["Fn::GetAtt"][1] == "CanonicalHostedZoneID"


def test_callers_reach_the_listeners_ports_and_no_other(template: Template, only: Only) -> None:
    resources = build(template, services=(service(), HISTORY, LIVY), allowed_cidrs=("10.0.0.0/8", "172.16.0.0/14"))
    rules = only(resources, "AWS::EC2::SecurityGroup")["Properties"]["SecurityGroupIngress"]

    assert {(rule["CidrIp"], rule["FromPort"], rule["ToPort"]) for rule in rules} == {
        (cidr, port, port) for cidr in ("10.0.0.0/8", "172.16.0.0/14") for port in (443, 8998)
    }


def test_nodes_admit_the_balancer_on_the_services_and_health_ports(template: Template, only: Only) -> None:
    resources = build(template, services=(service(), HISTORY, LIVY))
    enters = of_kind(resources, "AWS::EC2::SecurityGroupIngress")
    leaves = of_kind(resources, "AWS::EC2::SecurityGroupEgress")
    (group,) = only(resources, BALANCER)["Properties"]["SecurityGroups"]

    assert {rule["FromPort"] for rule in enters} == {rule["FromPort"] for rule in leaves} == {8080, 8998, 18080}
    assert {rule["GroupId"] for rule in enters} == {NODES}
    assert {rule["DestinationSecurityGroupId"] for rule in leaves} == {NODES}
    assert all(rule["SourceSecurityGroupId"] == group for rule in enters)


def test_a_health_port_that_serves_nobody_is_admitted_too(template: Template) -> None:
    enters = of_kind(build(template, services=(LIVY,)), "AWS::EC2::SecurityGroupIngress")

    assert {rule["FromPort"] for rule in enters} == {8080, 8998}


def test_requests_keep_the_name_that_the_user_typed_and_lose_invalid_headers(template: Template) -> None:
    found = attributes(build(template))

    assert found["routing.http.preserve_host_header.enabled"] == "true"
    assert found["routing.http.drop_invalid_header_fields.enabled"] == "true"


def test_a_request_may_be_held_longer_than_a_minute(template: Template) -> None:
    assert int(attributes(build(template))["idle_timeout.timeout_seconds"]) > 60


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"name": "m" * 33}, "NameTooLong", "`name` must have at most 32 characters"),
        ({"subnets": (subnet("a"),), "target_zones": ()}, "TooFewZones", "at least two zones"),
        (
            {"subnets": (subnet("a"), subnet("b"), subnet("b"))},
            "TwoSubnetsInOneZone",
            "one subnet per zone .* got .*us-east-1b.*us-east-1b",
        ),
        (
            {"subnets": (subnet("a"), subnet("b", "10.0.1.0/28"))},
            "SubnetTooSmall",
            "must be /27 or larger .* got 10.0.1.0/28 in us-east-1b",
        ),
        (
            {"target_zones": ("us-east-1a", "us-east-1c")},
            "ZoneWithoutSubnet",
            "got none in us-east-1c; add one there",
        ),
        ({"allowed_cidrs": ()}, "NoCallers", "must name at least one network, got none"),
        ({"allowed_cidrs": ("0.0.0.0/0",)}, "OpenToTheWorld", "must name networks, got 0.0.0.0/0"),
        (
            {"allowed_cidrs": tuple(f"10.{n}.0.0/16" for n in range(31)), "services": (service(), LIVY)},
            "TooManyRules",
            r"at most 60 rules, got 62 \(31 on 2 ports\)",
        ),
        ({"services": ()}, "NoServices", "must hold at least one service"),
        (
            {"services": (service(), service("Other"))},
            "SameAddress",
            "must differ in host name or port, got archer.example.com:443 twice",
        ),
    ],
)
def test_fails_when_aws_would_refuse_it_or_requests_would_be_lost(
    template: Template, changes: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(PropsError, match=message) as error:
        build(template, **changes)

    assert error.value.code == code


def test_thirty_networks_on_two_ports_are_within_the_quota(template: Template, only: Only) -> None:
    ranges = tuple(f"10.{n}.0.0/16" for n in range(30))

    resources = build(template, allowed_cidrs=ranges, services=(service(), LIVY))

    assert len(only(resources, "AWS::EC2::SecurityGroup")["Properties"]["SecurityGroupIngress"]) == 60


def test_a_service_whose_pods_have_a_group_of_their_own_is_reached_there_alone(template: Template) -> None:
    own = service(target_security_group_id="sg-pods")
    livy = service("Livy", port=8998, target_port=8998, health_port=8080, target_security_group_id="sg-pods")
    resources = build(template, services=(own, HISTORY, livy))
    enters = {(each["GroupId"], each["FromPort"]) for each in of_kind(resources, "AWS::EC2::SecurityGroupIngress")}
    leaves = {
        (each["DestinationSecurityGroupId"], each["FromPort"])
        for each in of_kind(resources, "AWS::EC2::SecurityGroupEgress")
    }

    assert enters == leaves == {("sg-pods", 8080), ("sg-pods", 8998), (NODES, 18080)}
