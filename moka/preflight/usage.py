"""What an account uses already, without what this environment has made itself.

An environment that is deployed must not be counted twice, once as its maximum and once as usage: its nodes are told by the
tag that EKS puts on them, its network by CloudFormation's tag.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from environments import Environment
from environments.instances import instance_types
from environments.names import eks_cluster
from environments.subnets import PREFIX_ADDRESSES
from moka.preflight.aws import Reader
from moka.preflight.calls import Call
from moka.preflight.growth import Capacity, Family, family_of

INSTANCES: Final = Call("ec2", "DescribeInstances")
VOLUMES: Final = Call("ec2", "DescribeVolumes")

CLUSTER_TAG: Final = "eks:cluster-name"
"""On every instance of a managed node group (https://docs.aws.amazon.com/eks/latest/userguide/eks-using-tags.html)."""
STACK_TAG: Final = "aws:cloudformation:stack-name"

Thing = Mapping[str, Any]


def tag(thing: Thing, key: str) -> str:
    """Return the value of a tag of an EC2 thing; empty when it has none."""
    tags = thing.get("Tags") or thing.get("TagSet") or ()
    return next((str(each["Value"]) for each in tags if each["Key"] == key), "")


def made_by_network_stack(environment: Environment, thing: Thing) -> bool:
    """Whether this environment's network stack made it; CDK names a stage's stacks <stage>-<stack>."""
    return tag(thing, STACK_TAG) == f"{environment.name}-network"


def fetch_instances(aws: Reader) -> list[Thing]:
    """Return the instances that count against quotas."""
    states = {"Name": "instance-state-name", "Values": ["pending", "running"]}
    reservations = aws.pages(INSTANCES, "Reservations", Filters=[states])
    return [instance for reservation in reservations for instance in reservation["Instances"]]


def fetch_gp3_volumes(aws: Reader) -> list[Thing]:
    """Return the gp3 volumes of the region."""
    return list(aws.pages(VOLUMES, "Volumes", Filters=[{"Name": "volume-type", "Values": ["gp3"]}]))


def own_nodes(environment: Environment, instances: Iterable[Thing]) -> list[Thing]:
    """Return the instances that are nodes of this environment's clusters."""
    ours = {eks_cluster(environment, cluster) for cluster in environment.clusters}
    return [instance for instance in instances if tag(instance, CLUSTER_TAG) in ours]


def vcpus_of_others(environment: Environment, instances: list[Thing]) -> Counter[tuple[Capacity, Family]]:
    """Return the running vCPU that are not this environment's, by the quota that counts them."""
    ours = {instance["InstanceId"] for instance in own_nodes(environment, instances)}
    total: Counter[tuple[Capacity, Family]] = Counter()
    for instance in instances:
        family = family_of(instance["InstanceType"])
        if instance["InstanceId"] not in ours and family is not None:
            capacity: Capacity = "spot" if instance.get("InstanceLifecycle") == "spot" else "on_demand"
            total[capacity, family] += _vcpu(instance)
    return total


def _vcpu(instance: Thing) -> int:
    """Return an instance's vCPU: the table's, or what EC2 says of an older type."""
    known = instance_types().get(instance["InstanceType"])
    options = instance.get("CpuOptions", {})
    return known.vcpu if known else int(options.get("CoreCount", 0)) * int(options.get("ThreadsPerCore", 1))


def gib_of_others(environment: Environment, volumes: list[Thing], instances: list[Thing]) -> int:
    """Return the GiB of volumes that are not on this environment's nodes."""
    ours = {instance["InstanceId"] for instance in own_nodes(environment, instances)}
    return sum(
        int(volume["Size"])
        for volume in volumes
        if not any(attachment.get("InstanceId") in ours for attachment in volume.get("Attachments", ()))
    )


def interfaces_of_others(environment: Environment, interfaces: list[Thing], instances: list[Thing]) -> int:
    """Return the network interfaces that are not on this environment's nodes."""
    ours = {instance["InstanceId"] for instance in own_nodes(environment, instances)}
    return sum(1 for each in interfaces if (each.get("Attachment") or {}).get("InstanceId") not in ours)


def addresses_of_own_nodes(environment: Environment, instances: list[Thing]) -> Counter[str]:
    """Return the addresses that this environment's nodes hold, by subnet; a /28 block counts sixteen."""
    held: Counter[str] = Counter()
    for instance in own_nodes(environment, instances):
        for interface in instance.get("NetworkInterfaces", ()):
            blocks = len(interface.get("Ipv4Prefixes") or ())
            held[interface["SubnetId"]] += len(interface.get("PrivateIpAddresses", ())) + PREFIX_ADDRESSES * blocks
    return held
