"""A real API server with real controllers: who may what, what is admitted, what watches and lists see."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from testbed.kubernetes import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from testbed.cluster import Cluster
    from testbed.kubernetes import Client, Manifest


def pod(name: str, namespace: str, **spec: Any) -> Manifest:
    container = {"name": "main", "image": "testbed/none"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [container], **spec},
    }


def config_map(name: str, namespace: str, **data: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }


def wait_until(condition: Callable[[], bool], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_it_says_that_tests_may_break_it(client: Client) -> None:
    assert client.get("v1", "Namespace", "kube-system")["metadata"]["labels"]["moka.dev/testbed"] == "true"


def test_the_server_is_the_default_minor_and_kubectl_agrees(plane: Cluster) -> None:
    said = json.loads(plane.kubectl("version", "-o", "json").stdout)

    assert said["serverVersion"]["gitVersion"].startswith("v1.35.")
    assert said["serverVersion"]["gitVersion"] == said["clientVersion"]["gitVersion"]


def test_a_service_account_may_do_what_its_role_says_and_nothing_else(
    plane: Cluster, client: Client, namespace: str
) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader", "namespace": namespace}}
    rbac = "rbac.authorization.k8s.io"
    role = {
        "apiVersion": f"{rbac}/v1",
        "kind": "Role",
        "metadata": {"name": "reader", "namespace": namespace},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}],
    }
    binding = {
        "apiVersion": f"{rbac}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "reader", "namespace": namespace},
        "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": namespace}],
    }
    for manifest in (account, role, binding, config_map("known", namespace, key="value")):
        client.create(manifest)

    limited = plane.client(kubeconfig_file=plane.kubeconfig_for(namespace, "reader"))

    assert limited.get("v1", "ConfigMap", "known", namespace)["data"] == {"key": "value"}
    attempts: list[tuple[str, Callable[[], object]]] = [
        ("create", lambda: limited.create(config_map("new", namespace))),
        ("delete", lambda: limited.delete("v1", "ConfigMap", "known", namespace)),
        ("secrets", lambda: limited.list("v1", "Secret", namespace)),
        ("another namespace", lambda: limited.list("v1", "ConfigMap", "kube-system")),
        ("all namespaces", lambda: limited.list("v1", "ConfigMap")),
    ]
    for what, attempt in attempts:
        with pytest.raises(ApiError) as refused:
            attempt()
        assert (what, refused.value.reason) == (what, "Forbidden")
        assert f"system:serviceaccount:{namespace}:reader" in refused.value.message


def test_kubectl_with_that_account_is_limited_too(plane: Cluster, namespace: str) -> None:
    as_default = plane.kubeconfig_for(namespace, "default")

    done = plane.kubectl("get", "pods", "-n", namespace, kubeconfig=as_default, check=False)

    assert done.returncode == 1
    assert "is forbidden" in done.stderr
    assert (
        plane.kubectl("auth", "whoami", kubeconfig=as_default).stdout.count(
            f"system:serviceaccount:{namespace}:default"
        )
        == 1
    )


def test_an_unknown_token_is_nobody(plane: Cluster) -> None:
    from testbed import kubeconfig

    path = kubeconfig.write(
        plane.folder / "nobody.kubeconfig",
        context=plane.context,
        server=plane.server,
        authority=plane.ca_file,
        user="not-a-token",
    )

    with pytest.raises(ApiError) as refused:
        plane.client(kubeconfig_file=path).list("v1", "Pod", "default")
    assert refused.value.code == 401


def test_pod_security_refuses_what_restricted_forbids(client: Client, new_namespace: Callable[..., str]) -> None:
    namespace = new_namespace(labels={"pod-security.kubernetes.io/enforce": "restricted"})

    with pytest.raises(ApiError, match=r'violates PodSecurity "restricted:latest".*runAsNonRoot'):
        client.create(pod("careless", namespace))


def test_quota_limit_range_and_priority_are_enforced(client: Client, namespace: str) -> None:
    client.create(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "two", "namespace": namespace},
            "spec": {"hard": {"pods": "1", "requests.cpu": "2"}},
        }
    )
    client.create(
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "defaults", "namespace": namespace},
            "spec": {"limits": [{"type": "Container", "defaultRequest": {"cpu": "250m"}, "default": {"cpu": "1"}}]},
        }
    )
    wait_until(lambda: "used" in client.get("v1", "ResourceQuota", "two", namespace).get("status", {}))

    made = client.create(pod("first", namespace))

    assert made["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "250m"}, "limits": {"cpu": "1"}}
    with pytest.raises(ApiError, match="exceeded quota: two, requested: pods=1"):
        client.create(pod("second", namespace))
    with pytest.raises(ApiError, match="no PriorityClass with name unknown"):
        client.create(pod("third", namespace, priorityClassName="unknown"))


def test_server_side_apply_knows_who_owns_a_field(client: Client, namespace: str) -> None:
    client.apply(config_map("shared", namespace, key="mine"), field_manager="one")

    with pytest.raises(ApiError) as conflict:
        client.apply(config_map("shared", namespace, key="yours"), field_manager="two")
    assert (conflict.value.reason, 'conflict with "one"' in conflict.value.message) == ("Conflict", True)
    assert client.apply(config_map("shared", namespace, key="yours"), field_manager="two", force=True)["data"] == {
        "key": "yours"
    }


def test_lists_come_in_pages_and_a_watch_goes_on_from_the_last(client: Client, namespace: str) -> None:
    for number in range(7):
        client.create(config_map(f"page-{number}", namespace))

    pages = list(client.pages("v1", "ConfigMap", namespace, limit=3, labelSelector=""))
    client.create(config_map("later", namespace))
    events = client.watch(
        "v1", "ConfigMap", namespace, resource_version=pages[-1]["metadata"]["resourceVersion"], timeout_seconds=20
    )

    # kube-root-ca.crt is the eighth
    assert [len(page["items"]) for page in pages] in ([3, 3, 2], [3, 3, 1])
    event = next(event for event in events if event["object"]["metadata"]["name"] != "kube-root-ca.crt")
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "later")


def test_a_new_kind_works_as_soon_as_it_is_served(client: Client, namespace: str) -> None:
    name = f"widgets.{namespace}.example.com"
    version = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}}
    version["schema"] = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    client.create(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": name},
            "spec": {
                "group": f"{namespace}.example.com",
                "scope": "Namespaced",
                "names": {"plural": "widgets", "kind": "Widget"},
                "versions": [version],
            },
        }
    )
    widget = {
        "apiVersion": f"{namespace}.example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "a", "namespace": namespace},
    }

    def served() -> bool:
        try:
            client.apply(widget)
        except ApiError as error:
            if error.code == 404:
                return False
            raise
        return True

    wait_until(served)
    client.patch_status(widget["apiVersion"], "widgets", "a", namespace, status={"phase": "done"})  # type: ignore[arg-type]

    assert client.get(widget["apiVersion"], "Widget", "a", namespace)["status"] == {"phase": "done"}  # type: ignore[arg-type]
    client.delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", name)
