"""The operator with the chart's own token: nothing that it does is forbidden, and one lease is all that it leads by."""

from environments.names import OPERATOR_NAMESPACE
from k8s_manifests.spark_operator import CONTROLLER
from k8s_manifests.spark_operator_rbac import CONTROLLER_LOCK
from testbed.cluster import Cluster
from testbed.kubernetes import Client
from testbed.spark_applications import Applications, wait_until
from testbed.spark_operator.process import OperatorProcess
from testbed.spark_operator.spark_submit import ERROR


def test_the_operator_lives_through_every_kind_of_application_and_its_log_has_no_forbidden(
    applications: Applications, operator: OperatorProcess
) -> None:
    good, again = applications.create(timeToLiveSeconds=1), applications.create(restartPolicy={"type": "Always"})
    broken = applications.create(driver={"annotations": {ERROR: "broken"}})
    good.run_driver()
    good.wait_executors(1)
    for app in (good, again):
        app.succeed()
    again.wait_passed("PENDING_RERUN", "SUBMITTED")
    again.edit({"suspend": True})
    again.wait("SUSPENDED")
    broken.wait("FAILED")
    good.wait_gone()
    wait_until(lambda: "SparkApplicationFailed" in broken.reasons(), "an Event")
    said = [line for line in operator.log().splitlines() if "forbidden" in line.lower()]
    assert said == []


def test_the_token_is_that_of_the_charts_service_account_and_may_no_more_than_its_role(
    plane: Cluster, operator: OperatorProcess
) -> None:
    client = plane.client(kubeconfig_file=operator.chart.kubeconfig(plane))
    who = client.request(
        "POST",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
    )
    assert who["status"]["userInfo"]["username"] == f"system:serviceaccount:{OPERATOR_NAMESPACE}:{CONTROLLER}"
    assert not _may(client, "get", "", "secrets", "spark-contract")
    assert not _may(client, "list", "", "pods", "default")
    assert _may(client, "create", "", "pods", "spark-contract")
    client.close()


def test_the_leader_holds_the_lease_that_the_chart_names(plane: Cluster, operator: OperatorProcess) -> None:
    client = plane.client()
    lease = client.get("coordination.k8s.io/v1", "Lease", CONTROLLER_LOCK, OPERATOR_NAMESPACE)
    assert lease["spec"]["holderIdentity"]
    assert lease["spec"]["leaseDurationSeconds"] == 60
    client.close()


def _may(client: Client, verb: str, group: str, resource: str, namespace: str) -> bool:
    attributes = {"verb": verb, "group": group, "resource": resource, "namespace": namespace}
    answer = client.request(
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        },
    )
    return bool(answer["status"]["allowed"])
