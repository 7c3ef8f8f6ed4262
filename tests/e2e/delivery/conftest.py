"""Real control planes with pretended nodes of dev, and deliveries to them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import pytest

from environments import load
from moka.delivery.kubeconfig import read_server
from moka.delivery.sets import rendered_sets
from moka_constructs.manifest_set.handler.client import Client as HandlerClient
from moka_constructs.manifest_set.handler.deadline import Deadline
from moka_constructs.manifest_set.handler.order import ManifestFile
from moka_constructs.manifest_set.handler.run import Delivery, Options
from testbed.kubernetes import ApiError
from testbed.nodes import PretendedNodes

if TYPE_CHECKING:
    from testbed.cluster import Cluster
    from testbed.control_plane import ControlPlane
    from testbed.kubernetes import Client, Manifest

Files = dict[str, list[dict[str, Any]]]
Deliver = Callable[..., Delivery]
Versions = dict[tuple[str, str, str], str]


@pytest.fixture(scope="module")
def own_plane(plane_factory: Callable[..., ControlPlane]) -> Iterator[ControlPlane]:
    """A control plane for one file of tests: sets own namespaces and kinds of the whole cluster."""
    with plane_factory() as plane, PretendedNodes(plane) as nodes:
        nodes.add_environment(load("dev"))
        yield plane


@pytest.fixture(scope="module")
def api(own_plane: ControlPlane) -> Client:
    """The administrator's client of it."""
    return own_plane.client()


@pytest.fixture
def said() -> list[str]:
    """The steps that deliveries told."""
    return []


@pytest.fixture
def deliver(own_plane: ControlPlane, said: list[str]) -> Iterator[Deliver]:
    """`deliver(seconds=60, prune=True)` makes a delivery of set `tested` to the file's plane."""
    with Deliveries(own_plane, said) as deliveries:
        yield deliveries.make


class Deliveries:
    """Deliveries to one cluster; a context that closes their connections."""

    def __init__(self, plane: Cluster, said: list[str]) -> None:
        self._server = read_server(plane.kubeconfig, None, plane.folder)
        self._clients: list[HandlerClient] = []
        self._said = said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            client.close()

    def make(self, *, seconds: float = 120, session: Any = None, account: str = "", **options: Any) -> Delivery:
        self._clients.append(HandlerClient(server=self._server, deadline=Deadline(seconds)))
        given = {"set_name": "tested", "owner": "moka-dev-batch", **options}
        return Delivery(
            client=self._clients[-1],
            options=Options(**given),
            say=self._said.append,
            session=session,
            account=account,
        )


def rendered(environment: str, cluster: str, set_name: str = "platform") -> tuple[ManifestFile, ...]:
    """The files of one set of an environment's cluster; none when it has none."""
    loaded = load(environment)
    sets = {each.name: each.files for each in rendered_sets(loaded, loaded.cluster(cluster))}
    return tuple(
        ManifestFile(name=file.name, manifests=tuple(_unserved(each) for each in file.manifests))
        for file in sets.get(set_name, ())
    )


def _unserved(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """The manifest, with webhooks that let pass what nobody judges: no container runs here that could serve them."""
    if not str(manifest["kind"]).endswith("WebhookConfiguration"):
        return manifest
    return {**manifest, "webhooks": [{**each, "failurePolicy": "Ignore"} for each in manifest["webhooks"]]}


def as_files(files: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[ManifestFile, ...]:
    return tuple(ManifestFile(name=name, manifests=tuple(manifests)) for name, manifests in files.items())


def versions(api: Client, *kinds: tuple[str, str]) -> Versions:
    """{(kind, namespace, name): resource version} of every object of these kinds, by default of all that sets hold."""
    found: Versions = {}
    for api_version, kind in kinds or KINDS:
        for each in _list(api, api_version, kind):
            metadata = each["metadata"]
            found[kind, metadata.get("namespace", ""), metadata["name"]] = metadata["resourceVersion"]
    return found


def _list(api: Client, api_version: str, kind: str) -> list[Manifest]:
    """All objects of a kind; none of one that is not served."""
    try:
        return api.list(api_version, kind)
    except ApiError as error:
        if error.code == 404:
            return []
        raise


def settled(api: Client, *kinds: tuple[str, str]) -> Versions:
    """The same, once controllers have stopped writing status."""
    before = versions(api, *kinds)
    for _ in range(60):
        time.sleep(1)
        after = versions(api, *kinds)
        if after == before:
            return after
        before = after
    raise AssertionError(f"still changing after a minute: {sorted(set(after.items()) ^ set(before.items()))}")


def kinds_of(files: Sequence[ManifestFile]) -> list[tuple[str, str]]:
    """Every (API version, kind) of a set, and of what a delivery keeps for itself."""
    found = {(str(each["apiVersion"]), str(each["kind"])) for file in files for each in file.manifests}
    return sorted(found | {("v1", "ConfigMap")})


KINDS = (
    ("v1", "Namespace"),
    ("v1", "ConfigMap"),
    ("v1", "ServiceAccount"),
    ("v1", "Service"),
    ("v1", "Secret"),
    ("apps/v1", "Deployment"),
    ("batch/v1", "Job"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
)


def an_object(kind: str, name: str, namespace: str = "", *, api: str = "v1", **fields: Any) -> Manifest:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def a_deployment(
    name: str, namespace: str, *, replicas: int = 1, annotations: Mapping[str, str] | None = None, **pod: Any
) -> Manifest:
    """A Deployment on the system pool; `annotations` say how its pods end on a pretended node."""
    spec = {
        "nodeSelector": {"moka.dev/role": "system"},
        "containers": [{"name": "main", "image": "registry.example.com/x:1"}],
        **pod,
    }
    template = {"metadata": {"labels": {"app": name}, "annotations": dict(annotations or {})}, "spec": spec}
    return an_object(
        "Deployment",
        name,
        namespace,
        api="apps/v1",
        spec={"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template},
    )


def eks_own_kind() -> Manifest:
    """The kind that EKS brings along for security groups of pods; its own definition is stricter."""
    crd = a_crd("SecurityGroupPolicy", "vpcresources.k8s.aws", plural="securitygrouppolicies", version="v1beta1")
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = {
        "type": "object",
        "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    return crd


def volumes_for(files: Sequence[ManifestFile]) -> list[Manifest]:
    """Disks for the claims of the set's StatefulSets: no driver runs here that could make them."""
    return [
        an_object(
            "PersistentVolume",
            f"{manifest['metadata']['name']}-{claim['metadata']['name']}-{number}",
            spec={
                "accessModes": claim["spec"]["accessModes"],
                "capacity": claim["spec"]["resources"]["requests"],
                "storageClassName": claim["spec"]["storageClassName"],
                "hostPath": {"path": f"/volumes/{number}"},
            },
        )
        for file in files
        for manifest in file.manifests
        if manifest["kind"] == "StatefulSet"
        for claim in manifest["spec"].get("volumeClaimTemplates", ())
        for number in range(manifest["spec"]["replicas"])
    ]


def a_crd(kind: str, group: str, *, plural: str = "", version: str = "v1") -> Manifest:
    plural = plural or f"{kind.lower()}s"
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer", "minimum": 1}}}},
    }
    spec = {
        "group": group,
        "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
        "scope": "Namespaced",
        "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
    }
    return an_object("CustomResourceDefinition", f"{plural}.{group}", api="apiextensions.k8s.io/v1", spec=spec)
