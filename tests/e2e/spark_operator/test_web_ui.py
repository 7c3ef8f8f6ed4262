"""Rows about the driver's web page: its Service, its Ingress, and the permission that parks a worker when it is missing."""

import pytest

from k8s_manifests.spark_operator import CONTROLLER
from testbed.cluster import Cluster
from testbed.spark_applications import Application, Applications, wait_until
from testbed.spark_operator.process import StartOperator

INGRESS = "networking.k8s.io/v1"
UI = {"enable-ui-service": "true"}
WITH_INGRESS = {**UI, "ingress-url-format": "{{$appName}}.spark.example.com/{{$appNamespace}}"}


def test_the_chart_makes_no_service_for_the_web_page(applications: Applications) -> None:
    app = applications.create()
    app.run_driver()
    assert app.client.find("v1", "Service", f"{app.name}-ui-svc", app.namespace) is None
    assert "webUIServiceName" not in app.status["driverInfo"]


def test_with_the_service_on_the_status_names_it_and_the_application_owns_it(
    alone: Applications, start_operator: StartOperator
) -> None:
    start_operator(UI)
    app = alone.create()
    app.set_phase("Pending")
    name = f"{app.name}-ui-svc"
    wait_until(lambda: app.status.get("driverInfo", {}).get("webUIServiceName") == name, "the service's name")
    service = app.client.get("v1", "Service", name, app.namespace)
    info = app.status["driverInfo"]
    assert info["webUIPort"] == 4040
    assert info["webUIAddress"] == f"{service['spec']['clusterIP']}:4040"
    assert service["spec"]["selector"] == {"sparkoperator.k8s.io/app-name": app.name, "spark-role": "driver"}
    assert service["metadata"]["ownerReferences"][0]["name"] == app.name
    assert service["metadata"]["labels"]["sparkoperator.k8s.io/submission-id"] == app.status["submissionID"]


@pytest.mark.parametrize("length", [56, 57, 63])
def test_a_long_name_is_cut_to_a_service_name_of_63_characters(
    alone: Applications, start_operator: StartOperator, length: int
) -> None:
    start_operator(UI)
    app = alone.create(name=f"{'long-name-of-a-job-' * 4}"[: length - 1] + "x")
    wait_until(lambda: app.status.get("driverInfo", {}).get("webUIServiceName"), "the service's name")
    name = app.status["driverInfo"]["webUIServiceName"]
    assert len(name) == 63
    assert name.endswith("-ui-svc")
    assert (name == f"{app.name}-ui-svc") is (length == 56)
    assert app.client.find("v1", "Service", name, app.namespace) is not None


def test_suspend_deletes_the_service_with_the_driver(alone: Applications, start_operator: StartOperator) -> None:
    start_operator(UI)
    app = alone.create()
    name = f"{app.name}-ui-svc"
    wait_until(lambda: app.status.get("driverInfo", {}).get("webUIServiceName"), "the service's name")
    app.edit({"suspend": True})
    app.wait("SUSPENDED")
    wait_until(lambda: app.client.find("v1", "Service", name, app.namespace) is None, "the service is gone")


def test_with_our_rules_an_application_gets_its_ingress_and_goes_on(
    alone: Applications, start_operator: StartOperator
) -> None:
    operator = start_operator(WITH_INGRESS)
    app = alone.create()
    app.run_driver()
    ingress = app.client.get(INGRESS, "Ingress", f"{app.name}-ui-ingress", app.namespace)
    (rule,) = ingress["spec"]["rules"]
    assert rule["host"] == f"{app.name}.spark.example.com"
    assert rule["http"]["paths"][0]["path"] == f"/{app.namespace}(/|$)(.*)"
    assert app.status["driverInfo"]["webUIIngressAddress"] == f"http://{app.name}.spark.example.com/{app.namespace}"
    app.succeed()
    app.wait("COMPLETED")
    assert "forbidden" not in operator.log()


def test_without_list_and_watch_of_ingresses_the_first_application_parks_its_worker_for_ever(
    plane: Cluster, alone: Applications, start_operator: StartOperator
) -> None:
    """2.5.1 dropped the two verbs and reads Ingresses through the cache all the same (#2914, #2917)."""
    role = alone.client.get("rbac.authorization.k8s.io/v1", "Role", CONTROLLER, alone.namespace)
    poorer = {**role, "rules": [_without_watch(rule) for rule in role["rules"]]}
    alone.client.replace(poorer)
    try:
        operator = start_operator({**WITH_INGRESS, "controller-threads": "1"})
        stuck, behind = alone.create(), alone.create()
        wait_until(lambda: "forbidden" in operator.log(), "the forbidden list of ingresses")
        for app in (stuck, behind):
            if app.driver() is not None:
                app.set_phase("Running")
        _assert_nobody_runs((stuck, behind))
    finally:
        newest = alone.client.get("rbac.authorization.k8s.io/v1", "Role", CONTROLLER, alone.namespace)
        alone.client.replace({**newest, "rules": role["rules"]})


def _assert_nobody_runs(apps: tuple[Application, ...]) -> None:
    with pytest.raises(AssertionError, match="not within"):
        wait_until(lambda: any(app.state == "RUNNING" for app in apps), "one of them runs", seconds=4)


def _without_watch(rule: dict[str, list[str]]) -> dict[str, list[str]]:
    if "ingresses" not in rule["resources"]:
        return rule
    return {**rule, "verbs": [verb for verb in rule["verbs"] if verb not in ("list", "watch")]}
