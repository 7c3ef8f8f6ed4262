"""Rows of the status machine about submissions: New, RESUMING and PENDING_RERUN to SUBMITTED or SUBMISSION_FAILED."""

from typing import Any

import pytest

from testbed.spark_applications import (
    API,
    DRIVER,
    EXECUTOR,
    FINALIZER,
    KIND,
    Application,
    Applications,
    default_spec,
    pod_template,
    wait_until,
)
from testbed.spark_operator.spark_submit import ERROR, SECONDS

PREFIX = "sparkoperator.k8s.io/"


def test_a_new_application_is_submitted_and_its_run_is_counted(applications: Applications) -> None:
    app = applications.create()
    status = app.wait("SUBMITTED")
    assert app.states == ["", "SUBMITTED"]
    assert (status["submissionAttempts"], status["executionAttempts"]) == (1, 1)
    assert status["driverInfo"] == {"podName": f"{app.name}-driver"}
    assert app.wait_driver()["metadata"]["labels"][f"{PREFIX}submission-id"] == status["submissionID"]


def test_a_resumed_application_is_submitted_as_another_run(applications: Applications) -> None:
    app = applications.create(suspend=True)
    app.wait("SUSPENDED")
    app.edit({"suspend": False})
    status = app.wait("SUBMITTED")
    assert app.states[-2:] == ["RESUMING", "SUBMITTED"]
    assert status["executionAttempts"] == 1


def test_a_pending_rerun_is_submitted_once_the_old_driver_is_gone(applications: Applications) -> None:
    app = applications.create(restartPolicy={"type": "Always"})
    first = app.wait_driver()
    app.succeed()
    app.wait_passed("SUCCEEDING", "PENDING_RERUN", "SUBMITTED")
    second = app.wait_driver(but_not=first["metadata"]["uid"])
    assert app.status["executionAttempts"] == 2
    assert second["metadata"]["labels"][f"{PREFIX}submission-id"] == app.status["submissionID"]


def test_a_failed_spark_submit_gives_submission_failed_with_its_stderr(applications: Applications) -> None:
    retry = {"type": "OnFailure", "onSubmissionFailureRetries": 1, "onSubmissionFailureRetryInterval": 3600}
    app = applications.create(driver={"annotations": {ERROR: "no such class: Pi"}}, restartPolicy=retry)
    status = app.wait("SUBMISSION_FAILED")
    before = "failed to submit spark application: failed to run spark-submit: failed to run spark-submit: "
    assert app.error.startswith(before)
    assert "no such class: Pi" in app.error
    assert status["submissionAttempts"] == 1
    assert "executionAttempts" not in status
    assert app.driver() is None


def test_a_driver_pod_of_that_name_gives_submission_failed_driver_pod_already_exist(applications: Applications) -> None:
    pod = _somebody_elses_pod(applications, "taken-driver")
    app = applications.create(name="taken")
    app.wait("FAILED")
    assert app.states == ["", "SUBMISSION_FAILED", "FAILED"]
    assert app.error == "failed to submit spark application: failed to run spark-submit: driver pod already exist"
    assert applications.client.get("v1", "Pod", "taken-driver", app.namespace)["metadata"]["uid"] == pod


def test_a_pod_that_the_server_refuses_gives_submission_failed_with_the_servers_words(
    applications: Applications,
) -> None:
    app = applications.create(driver={"template": {"metadata": {}, "spec": {"containers": [{"name": DRIVER}]}}})
    app.wait("FAILED")
    assert "violates PodSecurity" in app.error


def test_a_name_longer_than_a_label_cannot_be_submitted(applications: Applications) -> None:
    """The validating webhook refuses such a name; without it the driver's label is what fails."""
    app = applications.create(name="a" * 64)
    app.wait("FAILED")
    assert "must be no more than 63" in app.error


def test_an_edit_during_spark_submit_submits_a_second_time_and_fails(applications: Applications) -> None:
    """The status write after the submission conflicts, the pass begins anew, and the driver pod is already there."""
    app = applications.create(driver={"annotations": {SECONDS: "3"}})
    app.stays("", 1)
    app.nudge()
    app.wait("FAILED")
    assert app.states == ["", "SUBMISSION_FAILED", "FAILED"]
    assert app.error.endswith("driver pod already exist")
    assert app.driver() is not None, "the first submission's driver runs on, and nobody counts it"


def test_the_status_has_these_fields_and_no_conditions_and_no_observed_generation(applications: Applications) -> None:
    app = applications.create()
    app.run_driver()
    app.wait_executors(1)
    app.succeed()
    status = app.wait("COMPLETED")
    wait_until(lambda: "executorState" in app.status, "the executors' states")
    assert set(app.status) == {
        "applicationState",
        "driverInfo",
        "executionAttempts",
        "executorState",
        "lastSubmissionAttemptTime",
        "sparkApplicationId",
        "submissionAttempts",
        "submissionID",
        "terminationTime",
    }
    assert status["applicationState"] == {"state": "COMPLETED"}
    selector = app.wait_driver()["metadata"]["labels"]["spark-app-selector"]
    assert status["sparkApplicationId"] == selector


def test_drivers_and_executors_carry_the_operators_and_the_applications_labels(applications: Applications) -> None:
    app = applications.create(
        labels={"queue": "root.shared", "kueue.x-k8s.io/queue-name": "left-out"},
        driver={"labels": {"role": "d"}},
        executor={"labels": {"role": "e"}},
    )
    driver = app.run_driver()["metadata"]["labels"]
    executor = app.wait_executors(1)[0]["metadata"]["labels"]
    common = {
        f"{PREFIX}app-name": app.name,
        f"{PREFIX}launched-by-spark-operator": "true",
        f"{PREFIX}submission-id": app.status["submissionID"],
        "queue": "root.shared",
        "spark-app-name": app.name,
        "spark-app-selector": app.status["sparkApplicationId"],
    }
    assert common.items() <= driver.items()
    assert common.items() <= executor.items()
    assert (driver["spark-role"], driver["role"]) == ("driver", "d")
    assert (executor["spark-role"], executor["role"], executor["spark-exec-id"]) == ("executor", "e", "1")
    assert not {f"{PREFIX}mutated-by-spark-operator", "kueue.x-k8s.io/queue-name"} & (set(driver) | set(executor))


def test_without_a_template_the_pods_are_marked_for_the_mutating_webhook(applications: Applications) -> None:
    """Such a driver is refused here, where no webhook makes it fit for the restricted profile: the dry run shows it."""
    driver = {key: value for key, value in default_spec()["driver"].items() if key != "template"}
    app = applications.application("bare")
    body = {**default_spec(), "driver": driver}
    applications.client.create(
        {"apiVersion": API, "kind": KIND, "metadata": {"name": "bare", "namespace": app.namespace}, "spec": body}
    )
    app.wait("FAILED")
    assert "violates PodSecurity" in app.error
    assert 'container \\"spark-kubernetes-driver\\"' in app.error or "spark-kubernetes-driver" in app.error


def test_the_application_is_the_drivers_controller_and_the_executors_second_owner(applications: Applications) -> None:
    app = applications.create()
    driver = app.run_driver()
    executor = app.wait_executors(1)[0]
    uid = (app.get() or {})["metadata"]["uid"]
    owner = {"apiVersion": API, "kind": KIND, "name": app.name, "uid": uid}
    assert driver["metadata"]["ownerReferences"] == [{**owner, "controller": True, "blockOwnerDeletion": True}]
    owners = {reference["kind"]: reference for reference in executor["metadata"]["ownerReferences"]}
    assert owners[KIND] == owner
    assert (owners["Pod"]["uid"], owners["Pod"]["controller"]) == (driver["metadata"]["uid"], True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("finalizers", [FINALIZER]),
        ("annotations", {"yunikorn.apache.org/task-group-name": "driver"}),
    ],
)
def test_metadata_of_the_driver_template_reaches_the_pod(applications: Applications, field: str, value: Any) -> None:
    app = applications.create(template={field: value})
    found = app.wait_driver()["metadata"][field]
    assert (value.items() <= found.items()) if isinstance(value, dict) else (found == value)


def test_scheduler_volumes_tolerations_and_priority_of_the_templates_reach_the_pods(
    applications: Applications,
) -> None:
    fields: dict[str, Any] = {
        "tolerations": [{"key": "moka.dev/role", "operator": "Equal", "value": "executor", "effect": "NoSchedule"}],
        "priorityClassName": "moka-tier3-driver",
        "nodeSelector": {"moka.dev/role": "driver"},
        "volumes": [{"name": "spark-local-dir-1", "emptyDir": {"sizeLimit": "1Gi"}}],
    }
    driver_template, executor_template = pod_template(DRIVER, **fields), pod_template(EXECUTOR, **fields)
    for template in (driver_template, executor_template):
        # Spark looks at mounts: it would add a volume of that name to one that nothing mounts
        template["spec"]["containers"][0]["volumeMounts"] = [{"name": "spark-local-dir-1", "mountPath": "/data"}]
    app = applications.create(driver={"template": driver_template}, executor={"template": executor_template})
    driver = app.run_driver()
    for pod in (driver, app.wait_executors(1)[0]):
        spec = pod["spec"]
        assert fields["tolerations"][0] in spec["tolerations"]
        assert spec["priorityClassName"] == fields["priorityClassName"]
        assert spec["nodeSelector"] == fields["nodeSelector"]
        assert spec["schedulerName"] == "nobody"
        assert fields["volumes"][0] in spec["volumes"]


def _somebody_elses_pod(applications: Applications, name: str) -> str:
    template = pod_template("x", serviceAccountName="spark")
    template["spec"]["containers"][0]["image"] = "registry.invalid/x:1"
    metadata = {"name": name, "namespace": applications.namespace}
    made = applications.client.create(
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
    )
    return str(made["metadata"]["uid"])


def test_the_driver_pods_name_may_be_chosen(applications: Applications) -> None:
    app = applications.create(driver={"podName": "my-driver"})
    assert app.wait("SUBMITTED")["driverInfo"]["podName"] == "my-driver"
    assert applications.client.get("v1", "Pod", "my-driver", app.namespace)["metadata"]["labels"][f"{PREFIX}app-name"]


def test_drivers_get_a_headless_service_and_config_maps_that_go_with_them(applications: Applications) -> None:
    app = applications.create()
    uid = app.wait_driver()["metadata"]["uid"]
    app.wait("SUBMITTED")
    owned = _owned_by(app, uid)
    assert sorted(manifest["kind"] for manifest in owned) == ["ConfigMap", "ConfigMap", "Service"]
    (service,) = (manifest for manifest in owned if manifest["kind"] == "Service")
    assert service["spec"]["clusterIP"] == "None"
    app.delete()
    wait_until(lambda: not _owned_by(app, uid), "what the driver owned is gone")


def _owned_by(app: Application, uid: str) -> list[dict[str, Any]]:
    return [
        {**manifest, "kind": kind}
        for kind in ("Service", "ConfigMap")
        for manifest in app.client.list("v1", kind, app.namespace)
        if any(owner["uid"] == uid for owner in manifest["metadata"].get("ownerReferences", ()))
    ]
