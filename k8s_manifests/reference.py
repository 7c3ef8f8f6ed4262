"""Writes `docs/reference/manifests.md` from what is rendered for dev: `python -m k8s_manifests.reference`.

A page made from the manifests themselves cannot say what they do not; a test fails when it is stale.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from environments import load
from k8s_manifests import build_charts
from k8s_manifests.assembly import Component
from k8s_manifests.base import Manifest
from k8s_manifests.images import IMAGES
from k8s_manifests.own_images import OWN_IMAGES

PAGE: Final = Path(__file__).parent.parent / "docs" / "reference" / "manifests.md"
ENVIRONMENT: Final = "dev"

_REPLICAS: Final = {"Deployment": "", "StatefulSet": "", "DaemonSet": "one per node", "Job": "once"}
"""How many pods a kind of workload has; empty: as it says itself."""
_INTRODUCTION: Final = """# Manifests

<!-- made by `python -m k8s_manifests.reference`; change the charts in k8s_manifests/, not this page -->

What `moka render dev` writes for cluster `{cluster}`. Other environments have the same files with their own teams,
quotas, registry and node pools. Why things are as they are: [manifests, the concept](../concepts/manifests.md).
"""


def page() -> str:
    """Return the whole page as Markdown."""
    environment = load(ENVIRONMENT)
    cluster = environment.clusters[0]
    components = build_charts(environment, cluster)
    manifests = [manifest for component in components for manifest in component.manifests]
    # every team's namespace looks the same
    first, *others = (team.name for team in environment.teams_on(cluster))
    shown = [
        each for each in manifests if each["metadata"].get("namespace") not in {f"spark-{name}" for name in others}
    ]
    parts = [
        _INTRODUCTION.format(cluster=cluster.name),
        _section("Files", ("file", "objects", "kinds"), _files(components)),
        _section("Workloads", ("name", "namespace", "replicas", "CPU", "memory", "image"), _workloads(manifests)),
        _section(
            "Images", ("repository in the registry", "tag", "copied from", "source", "digest of the index"), _images()
        ),
        _section("Priority classes", ("name", "value", "meaning"), _priorities(manifests)),
        "## Rights\n\nWho may do what is a [page of its own](rights.md).\n",
        f"`spark-{first}` stands for every team's namespace from here on.\n",
        _section("Network policies", ("namespace", "policy", "pods", "allows"), _policies(shown)),
    ]
    return "\n".join(parts)


def _section(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"## {title}", "", f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _files(components: tuple[Component, ...]) -> Iterable[tuple[str, ...]]:
    for component in components:
        kinds = Counter(manifest["kind"] for manifest in component.manifests)
        listed = ", ".join(f"{kind} {number}" for kind, number in kinds.items())
        yield f"`{component.file_name}`", str(len(component.manifests)), listed


def _workloads(manifests: list[Manifest]) -> Iterable[tuple[str, ...]]:
    for each in manifests:
        if each["kind"] not in _REPLICAS:
            continue
        (container,) = each["spec"]["template"]["spec"]["containers"]
        requests, limits = container["resources"]["requests"], container["resources"]["limits"]
        cpu = f"{requests['cpu']} to {limits['cpu']}"
        image = _without_hash(container["image"].rsplit("/", 1)[-1])
        name, namespace = _without_digest(each), each["metadata"]["namespace"]
        replicas = _REPLICAS[each["kind"]] or str(each["spec"]["replicas"])
        yield f"`{name}`", f"`{namespace}`", replicas, cpu, limits["memory"], f"`{image}`"


def _without_digest(workload: Manifest) -> str:
    """Return a workload's name, a Job's without the digest of what it does, which has the hash of the image in it."""
    name: str = workload["metadata"]["name"]
    return f"{name.rsplit('-', 1)[0]}-…" if workload["kind"] == "Job" else name


def _without_hash(image: str) -> str:
    """Return the image without the hash of its sources, which would make this page stale at every change of those."""
    return next(
        (f"{own.repository}:{own.version}" for own in OWN_IMAGES if image == f"{own.repository}:{own.tag}"), image
    )


def _images() -> Iterable[tuple[str, ...]]:
    return (
        (f"`{image.repository}`", image.version, f"`{image.upstream}`", image.source, image.digest or "not known")
        for image in IMAGES
    )


def _priorities(manifests: list[Manifest]) -> Iterable[tuple[str, ...]]:
    for each in manifests:
        if each["kind"] == "PriorityClass":
            yield f"`{each['metadata']['name']}`", f"{each['value']:,}", each["description"]


def _policies(manifests: list[Manifest]) -> Iterable[tuple[str, ...]]:
    for each in manifests:
        if each["kind"] != "NetworkPolicy":
            continue
        spec, metadata = each["spec"], each["metadata"]
        allowed = [f"in from {_flow(rule, 'from')}" for rule in spec.get("ingress", ())]
        allowed += [f"out to {_flow(rule, 'to')}" for rule in spec.get("egress", ())]
        pods = _selector(spec["podSelector"])
        yield f"`{metadata['namespace']}`", f"`{metadata['name']}`", pods, "; ".join(allowed) or "nothing"


def _flow(rule: dict[str, Any], side: str) -> str:
    ports = ", ".join(f"{port['protocol']} {port['port']}" for port in rule.get("ports", ())) or "any port"
    return f"{', '.join(_peer(peer) for peer in rule[side])} ({ports})"


def _peer(peer: dict[str, Any]) -> str:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        return f"`{block['cidr']}`" + (" but no private range" if "except" in block else "")
    pods = _selector(peer["podSelector"])
    if "namespaceSelector" not in peer:
        return f"{pods} here"
    wanted = peer["namespaceSelector"]["matchLabels"]
    namespace = wanted.get("kubernetes.io/metadata.name")
    return (
        f"{pods} in `{namespace}`" if namespace else f"{pods} in namespaces with {_selector(peer['namespaceSelector'])}"
    )


def _selector(selector: dict[str, Any]) -> str:
    words = [f"{key}={value}" for key, value in selector.get("matchLabels", {}).items()]
    words += [f"{each['key']} in {'/'.join(each['values'])}" for each in selector.get("matchExpressions", ())]
    return f"`{', '.join(words)}`" if words else "all"


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
