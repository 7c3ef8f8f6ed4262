"""Archer's access and client at a real API server: who it is, what it may, what deletes and patches do."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from boto3 import Session  # type: ignore[import-untyped]  # boto3 ships no types

from archer.kubernetes.access import Access
from archer.kubernetes.client import ApiClient, Watch
from archer.kubernetes.errors import ApiError, ClusterUnreachableError
from testbed.eks_api import EksApi, described
from testbed.eks_door import EksDoor

if TYPE_CHECKING:
    from testbed.cluster import Cluster
    from testbed.control_plane import ControlPlane

CLUSTER = "moka-dev-batch"


@pytest.fixture
def api(plane: Cluster) -> Iterator[ApiClient]:
    with ApiClient(Access.from_kubeconfig(plane.kubeconfig, plane.context)) as api:
        yield api


def config_maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def who_am_i(api: ApiClient) -> str:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    return str(api.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", body)["status"]["userInfo"]["username"])


def test_a_certificate_of_a_kubeconfig_opens_the_door(plane: ControlPlane, namespace: str) -> None:
    with ApiClient(Access.from_kubeconfig(plane.kubeconfig_as("archer", ["moka:archer"]))) as api:
        assert who_am_i(api) == "archer"


def test_a_token_of_a_kubeconfig_opens_the_door(plane: Cluster, namespace: str) -> None:
    with ApiClient(Access.from_kubeconfig(plane.kubeconfig_for(namespace, "default"))) as api:
        assert who_am_i(api) == f"system:serviceaccount:{namespace}:default"


def test_a_program_of_a_kubeconfig_opens_the_door(plane: Cluster, namespace: str, tmp_path: Path) -> None:
    document = yaml.safe_load(plane.kubeconfig_for(namespace, "default").read_text())
    token = document["users"][0]["user"]["token"]
    program = tmp_path / "give-token"
    program.write_text(f"""#!/bin/sh\necho '{{"status": {{"token": "{token}"}}}}'\n""")
    program.chmod(0o700)
    document["users"][0]["user"] = {
        "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./give-token"}
    }
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(document))

    with ApiClient(Access.from_kubeconfig(file)) as api:
        assert who_am_i(api) == f"system:serviceaccount:{namespace}:default"


def test_a_pod_is_its_service_account(
    plane: Cluster, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca.crt").write_bytes(plane.ca_file.read_bytes())
    (tmp_path / "token").write_text(plane.token(namespace, "default"))
    host, _, port = plane.server.removeprefix("https://").partition(":")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)

    with ApiClient(Access.in_cluster(tmp_path)) as api:
        assert who_am_i(api) == f"system:serviceaccount:{namespace}:default"


def test_a_server_that_another_authority_vouches_for_is_not_believed(plane: Cluster) -> None:
    with (
        ApiClient(Access(server=plane.server)) as api,
        pytest.raises(ClusterUnreachableError, match=r"does not answer: .*certificate verify failed"),
    ):
        api.get("/version")


def test_a_certificate_must_be_for_the_name_that_the_kubeconfig_gives(plane: Cluster) -> None:
    ca = plane.ca_file.read_text()
    for name, good in (("kubernetes.default.svc", True), ("other.example", False)):
        with ApiClient(Access(server=plane.server, ca=ca, tls_server_name=name)) as api:
            if good:
                assert api.get("/version")["major"] == "1"
            else:
                with pytest.raises(ClusterUnreachableError, match=name):
                    api.get("/version")


def test_a_missing_right_is_said_in_one_sentence(plane: Cluster, namespace: str) -> None:
    with (
        ApiClient(Access.from_kubeconfig(plane.kubeconfig_for(namespace, "default"))) as api,
        pytest.raises(ApiError) as caught,
    ):
        list(api.pages(config_maps(namespace)))

    assert str(caught.value) == (
        f'{plane.server} refuses: configmaps is forbidden: User "system:serviceaccount:{namespace}:default" cannot list '
        f'resource "configmaps" in API group "" in the namespace "{namespace}"; '
        "give that identity the right by a role and its binding, or ask as another"
    )


def test_a_wrong_token_is_said_in_one_sentence(plane: Cluster, namespace: str, tmp_path: Path) -> None:
    document = yaml.safe_load(plane.kubeconfig_for(namespace, "default").read_text())
    document["users"][0]["user"] = {"token": "wrong"}
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(document))

    with ApiClient(Access.from_kubeconfig(file)) as api, pytest.raises(ApiError, match="does not know who asks"):
        api.get("/version")


def test_a_token_of_eks_opens_the_door_of_its_cluster_alone(
    plane: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"access_key": "AKIATESTBED", "secret_key": "secret of the testbed"}
    session = Session(aws_access_key_id=keys["access_key"], aws_secret_access_key=keys["secret_key"])
    with (
        EksDoor(plane, cluster=CLUSTER, **keys) as door,
        EksDoor(plane, cluster="moka-prod-batch", **keys) as other,
        EksApi(described(door.url, door.ca)) as eks,
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL_EKS", eks.url)
        access = Access.from_eks(CLUSTER, "us-east-1", session)
        with ApiClient(access) as api:
            made = api.create(config_maps(namespace), {"metadata": {"name": "by-eks"}})
        lost = Access(server=other.url, ca=access.ca, credentials=access.credentials)
        with ApiClient(lost) as api, pytest.raises(ApiError, match="does not know who asks"):
            api.get("/version")

    assert made["metadata"]["name"] == "by-eks"


def test_a_name_is_taken_once(api: ApiClient, namespace: str) -> None:
    body = {"metadata": {"name": "settings"}}
    api.create(config_maps(namespace), body)

    with pytest.raises(ApiError) as caught:
        api.create(config_maps(namespace), body)

    assert caught.value.already_exists


def test_each_kind_of_patch_does_what_it_says(api: ApiClient, namespace: str) -> None:
    path = f"{config_maps(namespace)}/settings"
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "1"}}

    api.patch(path, applied, kind="apply", fieldManager="archer", force=True)
    api.patch(path, {"data": {"b": "2"}})
    api.patch(path, {"data": {"c": "3"}}, kind="strategic")
    made = api.patch(path, [{"op": "remove", "path": "/data/a"}], kind="json")

    assert made["data"] == {"b": "2", "c": "3"}
    assert api.get(path)["data"] == made["data"]


def test_a_delete_takes_only_the_object_that_is_meant(api: ApiClient, namespace: str) -> None:
    path = f"{config_maps(namespace)}/settings"
    first = api.create(config_maps(namespace), {"metadata": {"name": "settings"}})["metadata"]["uid"]
    assert api.delete(path, preconditions_uid=first, propagation="Background", grace_seconds=0)
    second = api.create(config_maps(namespace), {"metadata": {"name": "settings"}})["metadata"]["uid"]

    assert api.delete(path, preconditions_uid=first) is False
    assert api.get(path)["metadata"]["uid"] == second
    assert api.delete(path, preconditions_uid=second) is True
    assert api.delete(path, preconditions_uid=second) is False


def test_what_is_wrong_with_an_object_is_in_the_message(api: ApiClient, namespace: str) -> None:
    with pytest.raises(ApiError, match="a lowercase RFC 1123 subdomain") as caught:
        api.create(config_maps(namespace), {"metadata": {"name": "Not_A_Name"}})

    assert (caught.value.status, caught.value.reason) == (422, "Invalid")
    assert "\n" not in str(caught.value)


def test_a_log_is_bytes_or_the_servers_words(api: ApiClient, namespace: str) -> None:
    with pytest.raises(ApiError, match=r'pods "driver" not found'):
        api.text(f"/api/v1/namespaces/{namespace}/pods/driver/log")

    assert api.text("/readyz") == b"ok"


@pytest.mark.parametrize("close", [lambda _, watch: watch.close(), lambda client, _: client.close()])
def test_a_watch_that_waits_is_ended_from_another_thread_over_tls_too(
    plane: Cluster, namespace: str, close: Callable[[ApiClient, Watch], None]
) -> None:
    client = ApiClient(Access.from_kubeconfig(plane.kubeconfig))
    path = config_maps(namespace)
    version = next(client.pages(path)).resource_version
    watch = client.watch(path, resource_version=version, timeout_seconds=300)
    client.create(path, {"metadata": {"name": "seen"}})
    first = next(watch)
    rest: list[str] = []
    thread = threading.Thread(target=lambda: rest.extend([*(event.type for event in watch), "ended"]))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()

    close(client, watch)
    thread.join(5)

    assert first.object["metadata"]["name"] == "seen"
    assert rest[-1] == "ended"
    client.close()


def test_a_server_that_is_away_is_named(plane_factory: Callable[..., ControlPlane]) -> None:
    with plane_factory() as own:
        name = f"t-{secrets.token_hex(3)}"
        with ApiClient(Access.from_kubeconfig(own.kubeconfig)) as api:
            api.get("/version")
            own.stop_api_server()
            with pytest.raises(ClusterUnreachableError, match=f"{own.server} does not answer: Connection refused"):
                api.create("/api/v1/namespaces", {"metadata": {"name": name}})
            own.start_api_server()

            assert api.create("/api/v1/namespaces", {"metadata": {"name": name}})["metadata"]["name"] == name
