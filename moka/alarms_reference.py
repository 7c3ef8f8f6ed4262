"""`python -m moka.alarms_reference` writes docs/reference/alarms.md from the templates of prod."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from moka.assembly import SynthesizedStack, read_assembly
from moka.synth import assembly_command, run

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE: Final = Path(__file__).parents[1] / "docs" / "reference" / "alarms.md"
ENVIRONMENT: Final = "prod"

_INTRODUCTION: Final = """\
# Alarms and the dashboard

<!-- made by `python -m moka.alarms_reference`; change infra/alarms.py, not this page -->

`alarms` of an [environment file](environment.md) makes the alarms below and the dashboard `moka-<env>` in CloudWatch; without it there
are none. Every alarm tells the topics when it starts and when it ends, with the text of the table. `alarms.emails` makes a topic
`moka-<env>-alarms` with a key of its own (each address confirms once); `alarms.topic_arns` are existing ones.

Each alarm stands in the stack whose resource it watches. In one stack of their own they would import names of Auto Scaling groups and ids of NAT
gateways, and CloudFormation replaces nothing that another stack imports. The dashboard stands in the Archer stack, names what has a
name and searches for the rest.

The table is prod's; one alarm stands for those that differ by zone, pool or cluster.

"""
_NOT_SEEN: Final = """
## Nodes that do not start

No metric says that a subnet has no address left. A rule of EventBridge per cluster (`moka-<env>-<cluster>-launch-failures`) sends the event of
EC2 Auto Scaling to the same topics when a node did not start for want of addresses or of a quota of vCPUs. Want of spot capacity is left out: the
Cluster Autoscaler goes on to the next group by itself.

## What no alarm sees

- A node that is up and whose pods find no /28 block in its subnet (fragmented, prefix delegation): the pod's event `FailedCreatePodSandBox` says
  so, and the node monitoring agent reports it as a condition of the node. `moka preflight ENV --only addresses` counts free addresses.
- NAT gateways of an existing network: they are whoever's made it.
- Pods that wait for YuniKorn: the control plane's metric of unschedulable pods counts the default scheduler's only.
- Jobs that fail: Archer tells those.
- Pools of one size: they are always at their maximum, and have no alarm for it.

## Where the names are from

Metrics are compared with the lists that the CDK carries of what AWS publishes (`tests/infra/test_alarms.py`); two are not in them and are
documented by AWS: [`apiserver_storage_size_bytes`](https://docs.aws.amazon.com/eks/latest/userguide/cloudwatch.html) and
[`ACUUtilization`](https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html). The rule's event is in the
[event reference](https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html); its message is EC2's: the
[error codes](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html) `InsufficientFreeAddressesInSubnet`, `VcpuLimitExceeded` and
`MaxSpotInstanceCountExceeded`, and the sentence "There are not enough free addresses in subnet …". EventBridge says nothing of the account that it publishes
for, so the topic and its key admit it [without a condition](https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html).
"""


def page(stacks: Iterable[SynthesizedStack]) -> str:
    """Return the page as Markdown."""
    rows: dict[tuple[str, str], str] = {}
    count = 0
    for stack in stacks:
        for resource in stack.resources.values() if stack.environment == ENVIRONMENT else ():
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                count += 1
                key = (stack.name.split("-")[0], _measured(resource["Properties"]))
                if "HealthyHostCount" in key[1]:
                    key = (key[0], f"{key[1]} {resource['Properties']['AlarmName']}")
                rows.setdefault(key, _row(stack, resource["Properties"]))
    table = [
        "| alarm | stack | rings when | no data is | what it says |",
        "| --- | --- | --- | --- | --- |",
        *rows.values(),
    ]
    return "\n".join([_INTRODUCTION + "\n".join(table), "", f"prod has {count} alarms.", _NOT_SEEN])


def _row(stack: SynthesizedStack, alarm: dict[str, Any]) -> str:
    silence = {"breaching": "trouble", "notBreaching": "well", "ignore": "as before"}[alarm["TreatMissingData"]]
    cells = (f"`{alarm['AlarmName']}`", f"`{stack.name}`", _rings(alarm), silence, alarm["AlarmDescription"])
    return f"| {' | '.join(cells)} |"


def _measured(alarm: dict[str, Any]) -> str:
    if "MetricName" in alarm:
        return f"{alarm['Namespace']} {alarm['MetricName']}"
    return str(alarm["Metrics"][0]["Expression"])


def _rings(alarm: dict[str, Any]) -> str:
    if "MetricName" in alarm:
        period, what = alarm["Period"], f"`{alarm['MetricName']}` ({alarm['Namespace']}, {alarm['Statistic'].lower()})"
    else:
        stats = {each["Id"]: each["MetricStat"] for each in alarm["Metrics"][1:]}
        period = next(iter(stats.values()))["Period"]
        text = re.sub(r"[a-z]+", lambda word: _metric_name(word.group(), stats), alarm["Metrics"][0]["Expression"])
        what = f"`{text}`"
    sign = {"GreaterThanOrEqualToThreshold": "≥", "GreaterThanThreshold": ">", "LessThanThreshold": "<"}
    minutes = period * alarm["EvaluationPeriods"] // 60
    threshold = f"{alarm['Threshold']:,.0f}"
    return f"{what} {sign[alarm['ComparisonOperator']]} {threshold} for {minutes} min"


def _metric_name(word: str, stats: dict[str, Any]) -> str:
    return str(stats[word]["Metric"]["MetricName"]) if word in stats else word


def main() -> None:
    """Write the page from a new synth."""
    with tempfile.TemporaryDirectory(prefix="moka-alarms-") as folder:
        run(assembly_command(Path(folder), ENVIRONMENT), what_for="write")
        PAGE.write_text(page(read_assembly(Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    main()
