"""Taking a set away: everything goes but kinds and jobs, nothing hangs, and the next apply finds its way back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from moka_constructs.manifest_set.handler.errors import SetError

from .conftest import Deliver, Files, a_crd, a_deployment, an_object, as_files, kinds_of, rendered, versions

if TYPE_CHECKING:
    from testbed.control_plane import ControlPlane
    from testbed.kubernetes import Client

FINALIZER = "archer.moka.dev/outcome"
TEAM = "spark-deleted"
VALUES = {"oidc_issuer": "x"}


@pytest.fixture
def files(deliver: Deliver, api: Client) -> Iterator[Files]:
    """An applied set with a kind, a team's namespace and a workload; what tests leave is taken away."""
    content: Files = {
        "00-crds.yaml": [a_crd("Gadget", "deleted.example.com")],
        "10-base.yaml": [
            an_object("Namespace", "moka-system"),
            an_object("Namespace", TEAM),
            an_object("ServiceAccount", "spark", TEAM),
        ],
        "20-work.yaml": [a_deployment("work", "moka-system")],
    }
    deliver(platform_values=VALUES).apply(as_files(content))
    yield content
    deliver(platform_values=VALUES, everything=True).delete()


def driver(api: Client, name: str, outcome: str | None) -> None:
    """A driver with Archer's finalizer, that has ended when an outcome is given."""
    annotations = {} if outcome is None else {"testbed.moka.dev/outcome": outcome, "testbed.moka.dev/run-seconds": "0"}
    metadata: dict[str, Any] = {
        "labels": {"spark-role": "driver"},
        "annotations": annotations,
        "finalizers": [FINALIZER],
    }
    spec = {
        "restartPolicy": "Never",
        "containers": [{"name": "main", "image": "x"}],
        "nodeSelector": {"moka.dev/role": "system"},
    }
    api.create(an_object("Pod", name, TEAM, metadata=metadata, spec=spec))


def wait_for_phase(own_plane: ControlPlane, name: str, phase: str) -> None:
    own_plane.kubectl("wait", f"--for=jsonpath={{.status.phase}}={phase}", "-n", TEAM, f"pod/{name}", "--timeout=60s")


def test_a_whole_platform_goes_and_leaves_its_kinds_and_nothing_else(deliver: Deliver, api: Client) -> None:
    rendered_files = rendered("dev", "batch")
    kinds = kinds_of(rendered_files)
    untouched = set(versions(api, *kinds))
    deliver(set_name="platform", platform_values=VALUES).apply(rendered_files)

    removal = deliver(set_name="platform", platform_values=VALUES).delete()

    left = set(versions(api, *kinds)) - untouched
    crds = {
        each["metadata"]["name"] for file in rendered_files for each in file.manifests if "Definition" in each["kind"]
    }
    assert {name for kind, _, name in left if kind == "CustomResourceDefinition"} == crds
    assert {key for key in left if key[0] != "CustomResourceDefinition"} == {
        ("ConfigMap", "kube-system", "moka-set-platform")
    }
    assert {each.name for each in removal.kept} == crds
    again = deliver(set_name="platform", platform_values=VALUES, wait=False).apply(rendered_files)
    assert again.counts()["unchanged"] == len(crds)
    deliver(set_name="platform", platform_values=VALUES, everything=True).delete()
    assert set(versions(api, *kinds)) == untouched


def test_a_namespace_whose_drivers_ended_and_were_deleted_does_not_hang_on_archers_finalizer(
    files: Files, deliver: Deliver, api: Client, own_plane: ControlPlane, said: list[str]
) -> None:
    driver(api, "ended", "succeed")
    wait_for_phase(own_plane, "ended", "Succeeded")
    api.delete("v1", "Pod", "ended", TEAM)
    assert api.get("v1", "Pod", "ended", TEAM)["metadata"]["deletionTimestamp"]

    removal = deliver(platform_values=VALUES).delete()

    assert f"released the finalizer of pod {TEAM}/ended" in said
    assert api.find("v1", "Namespace", TEAM) is None
    assert {each.kind for each in removal.kept} == {"CustomResourceDefinition"}


def test_a_running_job_keeps_its_namespace_its_account_and_its_finalizer(
    files: Files, deliver: Deliver, api: Client, own_plane: ControlPlane
) -> None:
    driver(api, "running", None)
    wait_for_phase(own_plane, "running", "Running")

    removal = deliver(platform_values=VALUES).delete()

    assert {str(each) for each in removal.kept} == {
        "CustomResourceDefinition gadgets.deleted.example.com",
        f"Namespace {TEAM}",
        f"ServiceAccount {TEAM}/spark",
    }
    assert api.get("v1", "Pod", "running", TEAM)["metadata"]["finalizers"] == [FINALIZER]
    assert api.find("v1", "Namespace", "moka-system") is None
    members = api.get("v1", "ConfigMap", "moka-set-tested", "kube-system")["data"]["members"]
    assert f"v1 ServiceAccount {TEAM}/spark" in members


def test_everything_goes_with_running_jobs_when_that_is_asked_for(
    files: Files, deliver: Deliver, api: Client, own_plane: ControlPlane
) -> None:
    driver(api, "running", None)
    wait_for_phase(own_plane, "running", "Running")

    removal = deliver(platform_values=VALUES, everything=True).delete()

    assert removal.kept == {}
    assert api.find("v1", "Namespace", TEAM) is None
    assert api.find("apiextensions.k8s.io/v1", "CustomResourceDefinition", "gadgets.deleted.example.com") is None
    assert api.find("v1", "ConfigMap", "moka-set-tested", "kube-system") is None


def test_a_deletion_that_hangs_on_a_finalizer_of_others_is_told_and_completed_later(
    files: Files, deliver: Deliver, api: Client
) -> None:
    held = an_object("ConfigMap", "held", "moka-system", metadata={"finalizers": ["others.example.com/x"]})
    api.create(held)

    with pytest.raises(SetError) as error:
        deliver(seconds=12, platform_values=VALUES).delete()

    lines = str(error.value).splitlines()
    assert lines[0].startswith("deletions are not complete, not finished within 12 s:")
    assert lines[1].startswith("  Namespace moka-system: it waits for its finalizers kubernetes; ")
    assert "others.example.com/x in 1 resource instances" in lines[1]
    api.patch("v1", "ConfigMap", "held", "moka-system", body={"metadata": {"finalizers": None}})
    deliver(platform_values=VALUES).delete()
    assert api.find("v1", "Namespace", "moka-system") is None


def test_custom_resources_go_while_their_controllers_are_there_to_release_them(
    files: Files, deliver: Deliver, api: Client, said: list[str]
) -> None:
    gadget = an_object("Gadget", "g", "moka-system", api="deleted.example.com/v1", spec={"size": 1})
    deliver(platform_values=VALUES).apply(as_files({**files, "30-gadget.yaml": [gadget]}))

    deliver(platform_values=VALUES).delete()

    deleting = [text for text in said if text.startswith("deleting ")]
    assert deleting.index("deleting Gadget moka-system/g") < deleting.index("deleting Deployment moka-system/work")
    assert deleting[-2:] == [f"deleting Namespace {TEAM}", "deleting Namespace moka-system"]


def test_values_of_another_set_stay(files: Files, deliver: Deliver, api: Client) -> None:
    deliver(set_name="archer", platform_values={"database_endpoint": "db"}).apply(())
    data = api.get("v1", "ConfigMap", "moka-platform", "moka-system")["data"]
    assert data == {"oidc_issuer": "x", "database_endpoint": "db"}

    deliver(set_name="archer", platform_values={"database_endpoint": "db"}).delete()

    assert api.get("v1", "ConfigMap", "moka-platform", "moka-system")["data"] == {"oidc_issuer": "x"}
    deliver(platform_values={"oidc_issuer": "y"}).apply(as_files(files))
    assert api.get("v1", "ConfigMap", "moka-platform", "moka-system")["data"] == {"oidc_issuer": "y"}


def test_deleting_twice_is_deleting_once(files: Files, deliver: Deliver) -> None:
    deliver(platform_values=VALUES, everything=True).delete()

    removal = deliver(platform_values=VALUES, everything=True).delete()

    assert (removal.removed, removal.kept) == ([], {})
