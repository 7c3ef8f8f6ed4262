from typing import Any

from k8s_manifests import labels
from k8s_manifests.base import MokaChart
from k8s_manifests.jobs import JobProps, add_job
from k8s_manifests.placement import Placement
from k8s_manifests.pods import Resources, SecretVolume, Step

SELECTOR = labels.selector(name="thing", component="setup")


def _step(name: str, *args: str) -> Step:
    return Step(
        name=name,
        image="registry.example.com/thing:1.2.3",
        args=args,
        resources=Resources(cpu_millis=10, cpu_limit_millis=100, memory_mib=32),
        volumes=(SecretVolume(name="certificate", path="/certificate", secret="thing-certificate"),),
    )


def _props(*steps: Step) -> JobProps:
    return JobProps(
        name="thing-setup",
        namespace="moka-system",
        selector=SELECTOR,
        steps=steps,
        service_account="thing",
        user_id=65534,
        placement=Placement(node_selector={"moka.dev/role": "system"}),
        priority_class="moka-platform",
    )


def _job(chart: MokaChart, *steps: Step) -> dict[str, Any]:
    add_job(chart, _props(*steps))
    found: dict[str, Any] = chart.manifests()[-1]
    return found


def test_the_same_job_keeps_its_name_and_a_changed_one_gets_another() -> None:
    import cdk8s

    app = cdk8s.App()
    names = [
        add_job(MokaChart(app, chart, labels={}), _props(_step("make", argument)))
        for chart, argument in (("A", "x"), ("B", "x"), ("C", "y"))
    ]

    assert names[0] == names[1] != names[2]
    assert names[0].startswith("thing-setup-")
    assert len(names[0]) == len("thing-setup-") + 8


def test_steps_run_one_after_the_other(chart: MokaChart) -> None:
    spec = _job(chart, _step("make"), _step("hand-out"))["spec"]["template"]["spec"]

    assert [each["name"] for each in spec["initContainers"]] == ["make"]
    assert [each["name"] for each in spec["containers"]] == ["hand-out"]
    assert spec["restartPolicy"] == "Never"
    assert spec["volumes"] == [
        {"name": "certificate", "secret": {"secretName": "thing-certificate", "defaultMode": 0o440}}
    ]


def test_a_job_ends_one_way_or_the_other(chart: MokaChart) -> None:
    spec = _job(chart, _step("make"))["spec"]

    assert spec["activeDeadlineSeconds"] == 300
    assert spec["backoffLimit"] == 5
