"""Whether the declared network is there and fits: an existing VPC with all its parts, or a free range for a new one."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network
from typing import Any, Final

from environments import Environment
from environments.network import ExistingNetwork, ExistingSubnet, NewNetwork
from moka.preflight.aws import Reader
from moka.preflight.calls import OF_EXISTING_NETWORK, Call
from moka.preflight.check import Check, Context, ask
from moka.preflight.checks import ways_out
from moka.preflight.failures import NotFoundError
from moka.preflight.rows import Verdict, failed, listed, passed, warned
from moka.preflight.usage import Thing, made_by_network_stack

VPCS: Final = Call("ec2", "DescribeVpcs")
ATTRIBUTE: Final = Call("ec2", "DescribeVpcAttribute", OF_EXISTING_NETWORK)
SUBNETS: Final = Call("ec2", "DescribeSubnets", OF_EXISTING_NETWORK)
GROUPS: Final = Call("ec2", "DescribeSecurityGroups", OF_EXISTING_NETWORK)
PREFIX_LISTS: Final = Call("ec2", "DescribeManagedPrefixLists", OF_EXISTING_NETWORK)

DNS_ATTRIBUTES: Final = ("enableDnsSupport", "enableDnsHostnames")
"""EKS' private API endpoint has a private DNS name; without both nodes do not find it."""


def judge_new(environment: Environment, network: NewNetwork, vpcs: Iterable[Thing]) -> Iterator[Verdict]:
    """Yield whether the routed range of a new VPC is free in this account; pod ranges are routed by nobody."""
    mine = IPv4Network(network.cidr)
    taken = [
        f"{vpc['VpcId']} ({cidr})"
        for vpc in vpcs
        if not made_by_network_stack(environment, vpc)
        for cidr in associated_ranges(vpc)
        if IPv4Network(cidr).overlaps(mine)
    ]
    if taken:
        fix = "take another range for `network.cidr` if the two VPCs must ever reach each other"
        yield warned(network.cidr, f"overlaps {listed(taken)}", needed="a free range", fix=fix)
    else:
        yield passed(network.cidr, "overlaps no VPC of this account and region")


def associated_ranges(vpc: Thing) -> list[str]:
    """Return the VPC's IPv4 ranges that are in use, the primary one first."""
    found = [
        str(each["CidrBlock"])
        for each in vpc.get("CidrBlockAssociationSet", ())
        if each.get("CidrBlockState", {}).get("State") in {"associated", "associating"}
    ]
    primary = str(vpc["CidrBlock"])
    return [primary, *(cidr for cidr in found if cidr != primary)]


def judge_vpc(network: ExistingNetwork, file: str, vpc: Thing | None) -> Iterator[Verdict]:
    """Yield whether the VPC exists with the ranges that the file says."""
    if vpc is None:
        fix = f"write the id of a VPC of this account and region as `network.vpc_id` in {file}"
        yield failed(network.vpc_id, "no such VPC", needed="an existing VPC", fix=fix)
        return
    there, written = associated_ranges(vpc), list(network.vpc_cidrs)
    fix = f"write `network.vpc_cidrs: [{', '.join(there)}]` in {file}"
    if set(written) - set(there):
        yield failed(network.vpc_id, f"ranges {listed(there)}", needed=listed(written), fix=fix)
    elif set(there) - set(written):
        yield warned(network.vpc_id, f"ranges {listed(there)}", needed=listed(written), fix=fix)
    else:
        yield passed(network.vpc_id, f"ranges {listed(there)}")


def judge_attribute(vpc_id: str, name: str, answer: dict[str, Any]) -> Iterator[Verdict]:
    """Yield whether one DNS attribute of the VPC is on."""
    key = name[0].upper() + name[1:]
    subject = f"{vpc_id} {name}"
    if answer[key]["Value"]:
        yield passed(subject, "on")
        return
    option = {"enableDnsSupport": "--enable-dns-support", "enableDnsHostnames": "--enable-dns-hostnames"}[name]
    fix = f"aws ec2 modify-vpc-attribute --vpc-id {vpc_id} {option}"
    yield failed(subject, "off", needed="on: nodes find the API server by a private DNS name", fix=fix)


def judge_subnet(network: ExistingNetwork, file: str, subnet: ExistingSubnet, found: Thing | None) -> Iterator[Verdict]:
    """Yield whether a subnet is what the file says of it."""
    subject = f"{subnet.id} ({subnet.use})"
    if found is None:
        fix = f"write the id of a subnet of {network.vpc_id} in {file}, network.subnets"
        yield failed(subject, "no such subnet", needed=f"{subnet.cidr} in {subnet.zone}", fix=fix)
        return
    facts = {"VpcId": network.vpc_id, "AvailabilityZone": subnet.zone, "CidrBlock": subnet.cidr}
    there = {key: str(found[key]) for key in facts}
    value = f"{there['CidrBlock']} in {there['AvailabilityZone']} of {there['VpcId']}"
    if there == facts:
        yield passed(subject, value)
    else:
        needed = f"{subnet.cidr} in {subnet.zone} of {network.vpc_id}"
        yield failed(subject, value, needed=needed, fix=f"correct the subnet's entry in {file}, network.subnets")


def judge_group(
    network: ExistingNetwork, file: str, path: str, group_id: str, found: Thing | None
) -> Iterator[Verdict]:
    """Yield whether a security group exists in the VPC."""
    fix = f"write a security group of {network.vpc_id} in {file}, {path}"
    if found is None:
        yield failed(group_id, "no such security group", needed=f"one of {network.vpc_id}", fix=fix)
    elif found["VpcId"] != network.vpc_id:
        yield failed(group_id, f"of {found['VpcId']}", needed=f"of {network.vpc_id}", fix=fix)
    else:
        yield passed(group_id, f"{found.get('GroupName', '')} of {found['VpcId']}".strip())


def judge_prefix_list(list_id: str, file: str, found: Thing | None) -> Iterator[Verdict]:
    """Yield whether a managed prefix list exists or is shared with this account."""
    if found is None:
        fix = f"share it with this account, or correct network.prefix_list_ids in {file}"
        yield failed(list_id, "no such prefix list", needed="a managed prefix list", fix=fix)
    else:
        yield passed(list_id, str(found.get("PrefixListName", "there")))


def _one(aws: Reader, call: Call, key: str, **parameters: Any) -> Thing | None:
    """Return the one thing that an id names; None when there is none. EC2 answers both with errors and with nothing."""
    try:
        found: list[Thing] = aws.get(call, **parameters).get(key, [])
    except NotFoundError:
        return None
    return found[0] if found else None


def _existing(context: Context, network: ExistingNetwork) -> Iterator[Verdict]:
    aws, file, vpc_id = context.aws, context.file, network.vpc_id
    yield from ask(vpc_id, lambda: _one(aws, VPCS, "Vpcs", VpcIds=[vpc_id]), lambda vpc: judge_vpc(network, file, vpc))
    for name in DNS_ATTRIBUTES:
        yield from _attribute(context, vpc_id, name)
    for subnet in network.subnets:
        yield from _subnet(context, network, subnet)
    for group_id in network.node_security_group_ids:
        yield from _group(context, network, "network.node_security_group_ids", group_id)
    for group_id in context.environment.archer.pod_security_group_ids:
        yield from _group(context, network, "archer.pod_security_group_ids", group_id)
    for list_id in network.prefix_list_ids:
        yield from _prefix_list(context, list_id)
    yield from ways_out.run(context, network)


def _attribute(context: Context, vpc_id: str, name: str) -> Iterator[Verdict]:
    def fetch() -> dict[str, Any] | None:
        try:
            return context.aws.get(ATTRIBUTE, VpcId=vpc_id, Attribute=name)
        except NotFoundError:
            return None  # the VPC's own row says so

    return ask(
        f"{vpc_id} {name}", fetch, lambda answer: () if answer is None else judge_attribute(vpc_id, name, answer)
    )


def _subnet(context: Context, network: ExistingNetwork, subnet: ExistingSubnet) -> Iterator[Verdict]:
    return ask(
        f"{subnet.id} ({subnet.use})",
        lambda: _one(context.aws, SUBNETS, "Subnets", SubnetIds=[subnet.id]),
        lambda found: judge_subnet(network, context.file, subnet, found),
    )


def _group(context: Context, network: ExistingNetwork, path: str, group_id: str) -> Iterator[Verdict]:
    return ask(
        group_id,
        lambda: _one(context.aws, GROUPS, "SecurityGroups", GroupIds=[group_id]),
        lambda found: judge_group(network, context.file, path, group_id, found),
    )


def _prefix_list(context: Context, list_id: str) -> Iterator[Verdict]:
    return ask(
        list_id,
        lambda: _one(context.aws, PREFIX_LISTS, "PrefixLists", PrefixListIds=[list_id]),
        lambda found: judge_prefix_list(list_id, context.file, found),
    )


def _run(context: Context) -> Iterator[Verdict]:
    network = context.environment.network
    if isinstance(network, ExistingNetwork):
        yield from _existing(context, network)
        return
    yield from ask(
        network.cidr,
        lambda: context.aws.pages(VPCS, "Vpcs"),
        lambda vpcs: judge_new(context.environment, network, vpcs),
    )


CHECK: Final = Check(
    name="network",
    asks="Is the declared VPC there with its ranges, subnets, groups and ways out, or the range of a new one free?",
    calls=(VPCS, ATTRIBUTE, SUBNETS, GROUPS, PREFIX_LISTS, *ways_out.CALLS),
    run=_run,
)
