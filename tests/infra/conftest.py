"""Every shipped environment, synthesised once per session, read back from the files that CloudFormation would get."""

import gc
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from environments import Environment, environment_names, load, load_all
from infra.app import build_app, fill
from infra.bundles import Bundles, Sets
from infra.empty_app import empty_app
from moka.assembly import SynthesizedStack, read_assembly

Stacks = dict[str, SynthesizedStack]
"""{dev/network: stack}."""


class BundlesOfDev(Bundles):
    """The rendered manifests of dev as it is shipped, for every variant of it: rendering each takes longer than its stacks.

    What is rendered of an environment is the matter of test_bundles.py and of the charts' tests; stacks only name it.
    """

    def prepare(self, environments: Iterable[Environment]) -> None:  # noqa: ARG002 - all are variants of dev
        super().prepare([load("dev")])

    def of(self, environment: Environment) -> Sets | None:
        delivered = environment.delivery.manifests == "manifest_set"
        return super().of(load("dev")) if delivered else None


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cloud assembly of all shipped environments."""
    folder = tmp_path_factory.mktemp("assembly")
    gc.disable()
    build_app(load_all(environment_names()), outdir=str(folder), validate=False).synth()
    gc.enable()
    return folder


@pytest.fixture(scope="session")
def stacks(assembly: Path) -> Stacks:
    """All stacks of all shipped environments, by path."""
    return {f"{stack.environment}/{stack.name}": stack for stack in read_assembly(assembly)}


@pytest.fixture
def dev_with(tmp_path: Path) -> Callable[..., Stacks]:
    """Synthesise dev with some sections changed: `dev_with(network={"nat": "none"})` updates fields of a section."""

    def make(**sections: Mapping[str, Any] | Any) -> Stacks:
        dev = load("dev")
        update = {
            name: getattr(dev, name).model_copy(update=dict(value))
            if isinstance(value, Mapping) and not isinstance(getattr(dev, name), Mapping)
            else value
            for name, value in sections.items()
        }
        folder = tmp_path / "assembly"
        app = empty_app(outdir=str(folder), validate=False)
        fill(app, [dev.model_copy(update=update)], BundlesOfDev()).synth()
        return {f"{stack.environment}/{stack.name}": stack for stack in read_assembly(folder)}

    return make


def properties_of(stack: SynthesizedStack, kind: str) -> list[dict[str, Any]]:
    """The properties of every resource of a kind."""
    return [each.get("Properties", {}) for each in stack.resources.values() if each["Type"] == kind]


@pytest.fixture(scope="session")
def of_kind() -> Callable[[SynthesizedStack, str], list[dict[str, Any]]]:
    """`of_kind(stack, "AWS::EC2::Subnet")` gives the properties of every such resource."""
    return properties_of
