"""Rendered manifests of every shipped environment, read back from their YAML text: the only thing that a cluster sees."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from environments import Environment, environment_names, load
from k8s_manifests import build_charts
from k8s_manifests.base import MokaChart

Manifest = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RenderedCluster:
    """What one cluster of one environment gets."""

    environment: Environment
    cluster: str
    files: Mapping[str, str]
    """YAML text by file name, in the order in which it is applied."""

    @property
    def manifests(self) -> list[Manifest]:
        return [document for text in self.files.values() for document in parse(text)]

    def of_kind(self, kind: str) -> list[Manifest]:
        return [manifest for manifest in self.manifests if manifest["kind"] == kind]

    def one(self, kind: str, name: str, namespace: str | None = None) -> Manifest:
        (found,) = (
            manifest
            for manifest in self.of_kind(kind)
            if manifest["metadata"]["name"] == name and manifest["metadata"].get("namespace") == namespace
        )
        return found


_PARSED: dict[str, list[Manifest]] = {}


def parse(text: str) -> list[Manifest]:
    """The documents of a YAML text; each text is parsed once."""
    if text not in _PARSED:
        _PARSED[text] = list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    return _PARSED[text]


def render_cluster(environment: Environment, cluster: str | None = None) -> RenderedCluster:
    chosen = environment.clusters[0] if cluster is None else environment.cluster(cluster)
    files = {component.file_name: component.to_yaml() for component in build_charts(environment, chosen)}
    return RenderedCluster(environment=environment, cluster=chosen.name, files=files)


@pytest.fixture(scope="session")
def every_cluster() -> list[RenderedCluster]:
    """Every cluster of every shipped environment."""
    return [
        render_cluster(environment, cluster.name)
        for environment in map(load, environment_names())
        for cluster in environment.clusters
    ]


@pytest.fixture(scope="session")
def dev(every_cluster: list[RenderedCluster]) -> RenderedCluster:
    """The cluster of the dev environment."""
    (found,) = (rendered for rendered in every_cluster if rendered.environment.name == "dev")
    return found


@pytest.fixture(scope="session")
def render() -> Callable[[Environment], RenderedCluster]:
    """Render the first cluster of an environment."""
    return render_cluster


@pytest.fixture(scope="session")
def dev_with() -> Callable[..., Environment]:
    """The dev environment with some of its sections replaced; not checked, only shaped."""

    def change(**sections: Any) -> Environment:
        return Environment.model_validate({**load("dev").model_dump(mode="json"), **sections})

    return change


@pytest.fixture
def chart() -> MokaChart:
    """An empty chart."""
    # after k8s_manifests, which says which Node cdk8s starts
    import cdk8s

    return MokaChart(cdk8s.App(), "Chart", labels={"app.kubernetes.io/name": "tested"})


@pytest.fixture(scope="session")
def raw_environments() -> dict[str, Any]:
    """The environment files as their authors wrote them, by name."""
    folder = Path(load.__code__.co_filename).parent
    return {name: yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8")) for name in environment_names()}
