import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from environments import Environment, load
from k8s_manifests.errors import ChartError


def test_files_are_ordered_by_what_must_be_there_first(dev: Any) -> None:
    assert list(dev.files) == [
        "00-crds.yaml",
        "01-target-group-crds.yaml",
        "10-namespaces.yaml",
        "15-priority-classes.yaml",
        "16-storage-classes.yaml",
        "17-flow-control.yaml",
        "18-cluster-autoscaler.yaml",
        "19-archer-rights.yaml",
        "20-spark-operator.yaml",
        "30-yunikorn.yaml",
        "35-load-balancer-controller.yaml",
        "40-history-server.yaml",
        "45-log-shipper.yaml",
        "50-archer.yaml",
    ]


def test_file_names_sort_into_the_order_of_application(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        assert sorted(rendered.files) == list(rendered.files)


def test_two_processes_render_the_same_bytes(dev: Any) -> None:
    code = (
        "import hashlib; from environments import load; from k8s_manifests import build_charts; e = load('dev')\n"
        "print({c.file_name: hashlib.sha256(c.to_yaml().encode()).hexdigest() for c in build_charts(e, e.clusters[0])})"
    )

    # another seed gives sets another order
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]

    assert outputs[0] == outputs[1]
    assert outputs[0].count(".yaml") == len(dev.files)


def test_the_text_means_what_the_charts_said(dev: Any) -> None:
    from k8s_manifests import build_charts

    for component in build_charts(dev.environment, dev.environment.clusters[0]):
        assert list(yaml.safe_load_all(component.to_yaml())) == list(component.manifests)


def test_values_that_yaml_readers_take_for_something_else_stay_strings(
    dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    # Kubernetes reads YAML 1.1: on, 1e3 and 0o7 would become true, 1000 and 7
    dev = load("dev").model_dump(mode="json")
    for name in ("on", "e1e3", "null"):
        rendered = render(dev_with(name=name, teams=[{**dev["teams"][0], "name": name}]))
        namespace = rendered.one("Namespace", f"spark-{name}")
        assert namespace["metadata"]["labels"]["moka.dev/team"] == name
        assert namespace["metadata"]["labels"]["moka.dev/environment"] == name


def test_an_environment_whose_cluster_has_no_place_for_the_platform_is_refused(
    dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    dev = load("dev").model_dump(mode="json")
    pools = [pool for pool in dev["clusters"][0]["pools"] if pool["role"] != "system"]
    environment = dev_with(clusters=[{**dev["clusters"][0], "pools": pools}])

    with pytest.raises(ChartError, match="has no pool of role 'system'"):
        render(environment)
