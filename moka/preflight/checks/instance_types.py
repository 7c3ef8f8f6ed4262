"""Whether every zone of a pool offers the pool's instance types to this account today.

The dated table says what was offered when it was made; EKS refuses a node group with a type that its zone lacks.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from environments import Environment
from environments.instances import instance_types
from moka.preflight.calls import Call
from moka.preflight.check import Check, Context, ask
from moka.preflight.growth import group_sizes
from moka.preflight.rows import Verdict, failed, listed, passed

OFFERINGS: Final = Call("ec2", "DescribeInstanceTypeOfferings")


def wanted_types(environment: Environment) -> tuple[str, ...]:
    """Return the instance types of all pools, and those of equal shape that could stand in for them, sorted."""
    wanted = {name for group in group_sizes(environment) for name in group.pool.instance_types}
    return tuple(sorted(wanted | {other for name in wanted for other in _stand_ins(name)}))


def _stand_ins(name: str) -> tuple[str, ...]:
    """Return the types of equal vCPU, memory, architecture and NVMe, newest first."""
    known = instance_types()
    if name not in known:
        return ()
    model = known[name]
    alike = [
        other
        for other in known.values()
        if other.name != name and (other.shape, other.nvme_gb) == (model.shape, model.nvme_gb)
    ]
    return tuple(other.name for other in sorted(alike, key=lambda other: (-other.generation, other.price, other.name)))


def judge(environment: Environment, file: str, offerings: Iterable[dict[str, Any]]) -> Iterator[Verdict]:
    """Yield a verdict per node group."""
    offered = {(str(each["InstanceType"]), str(each["Location"])) for each in offerings}
    for group in group_sizes(environment):
        subject = f"{group.cluster.name}/{group.pool.name} in {group.zone}"
        names = group.pool.instance_types
        missing = [name for name in names if (name, group.zone) not in offered]
        if not missing:
            yield passed(subject, f"{listed(names)} offered")
            continue
        others = [
            name
            for name in dict.fromkeys(other for lost in missing for other in _stand_ins(lost))
            if (name, group.zone) in offered and name not in names
        ]
        instead = (
            f"replace by {listed(others, most=3)} (equal shape)" if others else "no type of equal shape is offered here"
        )
        fix = f"{instead}, or leave {group.zone} out of the pool's `zones`, in {file}, clusters[{group.cluster.name}].pools[{group.pool.name}]"
        yield failed(subject, f"not offered: {listed(missing)}", needed=listed(names), fix=fix)


def _fetch(context: Context) -> list[dict[str, Any]]:
    wanted = wanted_types(context.environment)
    found: list[dict[str, Any]] = []
    # EC2 takes 200 values per filter
    for start in range(0, len(wanted), 200):
        types = {"Name": "instance-type", "Values": list(wanted[start : start + 200])}
        found += context.aws.pages(
            OFFERINGS, "InstanceTypeOfferings", LocationType="availability-zone", Filters=[types]
        )
    return found


def _run(context: Context) -> Iterator[Verdict]:
    return ask(
        "instance types", lambda: _fetch(context), lambda offerings: judge(context.environment, context.file, offerings)
    )


CHECK: Final = Check(
    name="instance-types",
    asks="Does every zone of every pool offer the pool's instance types?",
    calls=(OFFERINGS,),
    run=_run,
)
