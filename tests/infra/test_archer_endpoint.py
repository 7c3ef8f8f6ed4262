import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from environments import Environment, environment_names, load, names
from environments.network import ExistingNetwork
from infra.app import build_app
from moka.assembly import SynthesizedStack
from moka_constructs import PropsError

Stacks = dict[str, SynthesizedStack]
OfKind = Callable[[SynthesizedStack, str], list[dict[str, Any]]]

ENVIRONMENTS = environment_names()
BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
TARGETS = "AWS::ElasticLoadBalancingV2::TargetGroup"


def imported(value: Any) -> str:
    """The name of the export that a value is imported from."""
    name: str = value["Fn::ImportValue"]
    return name


def is_host_nodes(name: str, value: Any) -> bool:
    stack, export = imported(value).split(":", 1)
    return stack == f"moka-{name}-cluster-{load(name).archer.cluster}" and "ClusterSecurityGroupId" in export


def balancer_attributes(stack: SynthesizedStack, of_kind: OfKind) -> dict[str, str]:
    (balancer,) = of_kind(stack, BALANCER)
    return {each["Key"]: each["Value"] for each in balancer["LoadBalancerAttributes"]}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_users_reach_archer_livy_and_history_by_name_over_tls(stacks: Stacks, of_kind: OfKind, name: str) -> None:
    stack, endpoint = stacks[f"{name}/archer"], load(name).archer.endpoint
    ports = {
        logical_id: each["Properties"]["Port"]
        for logical_id, each in stack.resources.items()
        if each["Type"] == TARGETS
    }
    listeners = {each["Port"]: each for each in of_kind(stack, LISTENER)}
    (rule,) = of_kind(stack, RULE)

    assert {port: ports[each["DefaultActions"][0]["TargetGroupArn"]["Ref"]] for port, each in listeners.items()} == {
        443: 8080,
        8998: 8998,
    }
    assert rule["Conditions"][0]["HostHeaderConfig"]["Values"] == [f"history.{endpoint.hostname}"]
    assert ports[rule["Actions"][0]["TargetGroupArn"]["Ref"]] == 18080
    for listener in listeners.values():
        assert listener["Protocol"] == "HTTPS"
        assert listener["Certificates"] == [{"CertificateArn": endpoint.certificate_arn}]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_files_zone_gets_a_record_for_archer_and_one_for_history(
    stacks: Stacks, of_kind: OfKind, name: str
) -> None:
    endpoint = load(name).archer.endpoint
    records = {each["Name"]: each for each in of_kind(stacks[f"{name}/archer"], "AWS::Route53::RecordSet")}

    assert set(records) == {f"{endpoint.hostname}.", f"history.{endpoint.hostname}."}
    assert {each["HostedZoneId"] for each in records.values()} == {endpoint.hosted_zone_id}
    assert all(each["AliasTarget"]["DNSName"]["Fn::GetAtt"][1] == "DNSName" for each in records.values())


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_balancer_is_internal_with_one_subnet_per_zone(stacks: Stacks, of_kind: OfKind, name: str) -> None:
    (balancer,) = of_kind(stacks[f"{name}/archer"], BALANCER)

    assert (balancer["Scheme"], balancer["Type"]) == ("internal", "application")
    assert len(balancer["Subnets"]) == len(load(name).network.zones)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_callers_are_the_files_networks_and_prefix_lists(stacks: Stacks, of_kind: OfKind, name: str) -> None:
    stack, environment = stacks[f"{name}/archer"], load(name)
    (balancer,) = of_kind(stack, BALANCER)
    (group,) = balancer["SecurityGroups"]
    rules = stack.resources[group["Fn::GetAtt"][0]]["Properties"]["SecurityGroupIngress"]
    network = environment.network
    lists = network.prefix_list_ids if isinstance(network, ExistingNetwork) else ()
    callers = {*environment.archer.endpoint.allowed_cidrs, *lists}

    assert {(rule.get("CidrIp") or rule["SourcePrefixListId"], rule["FromPort"]) for rule in rules} == {
        (caller, port) for caller in callers for port in (443, 8998)
    }
    assert all(ipaddress.ip_network(rule.get("CidrIp", "10.0.0.0/8")).is_private for rule in rules)


def test_some_shipped_environment_admits_a_prefix_list() -> None:
    networks = [load(name).network for name in ENVIRONMENTS]

    assert any(isinstance(network, ExistingNetwork) and network.prefix_list_ids for network in networks)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_pods_admit_the_balancer_on_three_ports_archers_by_their_own_group_if_they_have_one(
    stacks: Stacks, of_kind: OfKind, name: str
) -> None:
    stack, own = stacks[f"{name}/archer"], load(name).archer.pod_security_group_ids
    (balancer,) = of_kind(stack, BALANCER)
    (group,) = balancer["SecurityGroups"]
    enters = [
        each for each in of_kind(stack, "AWS::EC2::SecurityGroupIngress") if each.get("SourceSecurityGroupId") == group
    ]
    leaves = of_kind(stack, "AWS::EC2::SecurityGroupEgress")

    assert sorted(rule["FromPort"] for rule in enters) == sorted(names.SERVICE_PORTS.values())
    assert sorted(rule["FromPort"] for rule in leaves) == sorted(names.SERVICE_PORTS.values())
    for target, rule in [
        *((rule["GroupId"], rule) for rule in enters),
        *((rule["DestinationSecurityGroupId"], rule) for rule in leaves),
    ]:
        # the History Server shares the nodes' group always: its pods have no business with the database
        if own and rule["FromPort"] != names.SERVICE_PORTS["history"]:
            assert target == own[0]
        else:
            assert is_host_nodes(name, target)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_target_groups_take_pods_and_are_found_by_the_name_that_charts_compute(
    stacks: Stacks, of_kind: OfKind, name: str
) -> None:
    groups = {each["Name"]: each for each in of_kind(stacks[f"{name}/archer"], TARGETS)}

    for service, port in names.SERVICE_PORTS.items():
        group = groups.pop(names.target_group(load(name), service))
        assert (group["TargetType"], group["Protocol"], group["Port"]) == ("ip", "HTTP", port)
    assert groups == {}


def test_health_is_asked_where_each_service_answers_it_cheaply(stacks: Stacks, of_kind: OfKind) -> None:
    checks = {
        each["Name"]: (each["HealthCheckPath"], each["HealthCheckPort"])
        for each in of_kind(stacks["dev/archer"], TARGETS)
    }

    assert checks == {
        "moka-dev-archer-api": ("/readyz", "8080"),
        "moka-dev-archer-livy": ("/readyz", "8080"),
        "moka-dev-archer-history": ("/api/v1/version", "18080"),
    }


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_balancer_is_protected_and_logged_as_the_file_says(stacks: Stacks, of_kind: OfKind, name: str) -> None:
    environment = load(name)
    found = balancer_attributes(stacks[f"{name}/archer"], of_kind)
    host = environment.cluster(environment.archer.cluster)

    assert found["deletion_protection.enabled"] == str(environment.storage.retain).lower()
    assert found["access_logs.s3.enabled"] == str(environment.storage.access_logs).lower()
    assert found.get("access_logs.s3.bucket") == (
        names.bucket(environment, "access-logs") if environment.storage.access_logs else None
    )
    assert found["zonal_shift.config.enabled"] == str(host.zonal_shift).lower()


def test_the_log_bucket_admits_the_balancer_where_it_writes(stacks: Stacks, of_kind: OfKind) -> None:
    found = balancer_attributes(stacks["prod/archer"], of_kind)
    allowed = [
        statement["Resource"]
        for policy in of_kind(stacks["prod/data"], "AWS::S3::BucketPolicy")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    ]
    bucket, prefix = found["access_logs.s3.bucket"], found["access_logs.s3.prefix"]

    assert allowed == [f"arn:aws:s3:::{bucket}/{prefix}/AWSLogs/111111111111/*"]


def test_names_fit_for_the_longest_name_of_an_environment(dev_with: Callable[..., Stacks], of_kind: OfKind) -> None:
    stack = dev_with(name="abcdefghijkl")["abcdefghijkl/archer"]

    for group in of_kind(stack, TARGETS):
        assert len(group["Name"]) <= 32
    assert len(of_kind(stack, BALANCER)[0]["Name"]) <= 32


def synthesise(environment: Environment, folder: Path) -> None:
    build_app([environment], outdir=str(folder), validate=False).synth()


def staging_without_balancer_subnet(zone: str, replacement: str | None = None) -> Environment:
    """Staging, with the load balancer's subnet of a zone left out, or given as another zone's second one."""
    staging = load("staging")
    network = staging.network
    assert isinstance(network, ExistingNetwork)
    subnets = tuple(
        subnet
        if (subnet.use, subnet.zone) != ("load_balancer", zone)
        else subnet.model_copy(update={"zone": replacement})
        for subnet in network.subnets
        if replacement or (subnet.use, subnet.zone) != ("load_balancer", zone)
    )
    return staging.model_copy(update={"network": network.model_copy(update={"subnets": subnets})})


@pytest.mark.parametrize(
    ("environment", "code", "message"),
    [
        (staging_without_balancer_subnet("us-east-1c"), "ZoneWithoutSubnet", "got none in us-east-1c"),
        (staging_without_balancer_subnet("us-east-1c", "us-east-1b"), "TwoSubnetsInOneZone", "one subnet per zone"),
    ],
)
def test_fails_when_an_existing_network_leaves_pods_out_of_the_balancers_reach(
    tmp_path: Path, environment: Environment, code: str, message: str
) -> None:
    with pytest.raises(PropsError, match=message) as error:
        synthesise(environment, tmp_path)

    assert error.value.code == code
    assert error.value.path == "staging/archer/LoadBalancer"
