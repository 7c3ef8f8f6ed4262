import pytest

from moka_constructs.manifest_set.handler.client import Client
from moka_constructs.manifest_set.handler.jobs import FINALIZER, jobs_in, release_finalizers
from testbed.fake_api_server import FakeApiServer

from .conftest import a_crd, an_object

PODS = "/api/v1/namespaces/spark-ads/pods"
APPLICATIONS = "/apis/sparkoperator.k8s.io/v1beta2/namespaces/spark-ads/sparkapplications"


@pytest.fixture(autouse=True)
def namespace(server: FakeApiServer) -> None:
    server.put("/api/v1/namespaces/spark-ads", an_object("Namespace", "spark-ads"))


def driver(server: FakeApiServer, name: str, phase: str, *, role: str = "driver", deleting: bool = False) -> str:
    metadata = {"labels": {"spark-role": role}, "finalizers": ["example.com/other", FINALIZER]}
    path = f"{PODS}/{name}"
    server.put(path, an_object("Pod", name, metadata=metadata, status={"phase": phase}))
    if deleting:
        server.objects[path]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return path


def finalizers(server: FakeApiServer, path: str) -> list[str]:
    found: list[str] = server.objects[path]["metadata"]["finalizers"]
    return found


def test_a_namespace_without_jobs_says_nothing(client: Client, server: FakeApiServer) -> None:
    server.put(f"{PODS}/shell", an_object("Pod", "shell"))

    assert jobs_in(client, "spark-ads") == ""


def test_spark_pods_are_jobs(client: Client, server: FakeApiServer) -> None:
    for number in range(5):
        driver(server, f"d{number}", "Succeeded")

    assert jobs_in(client, "spark-ads") == "Spark pods d0, d1, d2 …"


def test_applications_are_jobs_even_without_a_pod(client: Client, server: FakeApiServer) -> None:
    crd = a_crd("SparkApplication", "sparkoperator.k8s.io")
    crd["spec"]["versions"][0]["name"] = "v1beta2"
    server.put("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/sparkapplications.sparkoperator.k8s.io", crd)
    server.put(f"{APPLICATIONS}/etl", an_object("SparkApplication", "etl", api="sparkoperator.k8s.io/v1beta2"))

    assert jobs_in(client, "spark-ads") == "sparkapplications etl"
    assert jobs_in(client, "default") == ""


def test_archers_finalizer_is_taken_off_pods_that_ended_or_are_being_deleted(
    client: Client, server: FakeApiServer
) -> None:
    ended = [
        driver(server, "s", "Succeeded"),
        driver(server, "f", "Failed"),
        driver(server, "x", "Running", deleting=True),
    ]
    running = driver(server, "r", "Running")

    released = release_finalizers(client, ["spark-ads"], running=False)

    assert sorted(released) == ["spark-ads/f", "spark-ads/s", "spark-ads/x"]
    assert [finalizers(server, path) for path in ended] == [["example.com/other"]] * 3
    assert finalizers(server, running) == ["example.com/other", FINALIZER]


def test_with_everything_it_is_taken_off_running_ones_too(client: Client, server: FakeApiServer) -> None:
    running = driver(server, "r", "Running")

    assert release_finalizers(client, ["spark-ads"], running=True) == ["spark-ads/r"]
    assert finalizers(server, running) == ["example.com/other"]


def test_a_pod_that_went_meanwhile_is_no_error(client: Client, server: FakeApiServer) -> None:
    driver(server, "s", "Succeeded")
    server.faults.append(lambda method, _: (404, {"message": "gone"}) if method == "PATCH" else None)

    assert release_finalizers(client, ["spark-ads"], running=False) == []


def test_the_finalizer_is_the_one_that_design_gives_to_archer() -> None:
    assert FINALIZER == "archer.moka.dev/outcome"
