"""`archer serve` for Kubernetes refuses what can't be reached by its settings: all of it at once, before anything is made."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from archer.clock import SystemClock
from archer.composition import find_clusters, make_fleet
from archer.errors import InvalidSettingsError
from archer.model import JobState
from archer.settings import load_settings
from archer.store.connection import Database
from archer.store.interface import Change, NewAttempt, NewJob
from archer.store.migrate import open_database, upgrade
from archer.store.sql import SqlStore
from testbed.archer_builders import make_cluster_config, make_submission

if TYPE_CHECKING:
    from pathlib import Path

    from archer.cluster_config import ClusterConfig


def config_of(*clusters: str, **fields: Any) -> ClusterConfig:
    """An environment with these clusters, and a team that may use all of them."""
    config = make_cluster_config("root.a")
    (view,) = config.clusters
    (team,) = config.teams
    views = tuple(view.model_copy(update={"name": name, "eks_name": f"moka-lab-{name}", **fields}) for name in clusters)
    return config.model_copy(update={"clusters": views, "teams": (team.model_copy(update={"clusters": clusters}),)})


def kubeconfig(folder: Path, *contexts: str) -> Path:
    content = {
        "clusters": [{"name": name, "cluster": {"server": f"http://127.0.0.1:1/{name}"}} for name in contexts],
        "users": [{"name": "archer", "user": {"token": "t"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "archer"}} for name in contexts],
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(content))
    return file


def serve(folder: Path, config: ClusterConfig | None, **settings: str) -> subprocess.CompletedProcess[str]:
    """What the command says; it must refuse."""
    given = {"ARCHER_BACKEND": "kubernetes", "ARCHER_DATA": str(folder / "data"), **settings}
    if config is not None:
        file = folder / "archer.yaml"
        file.write_text(yaml.safe_dump(config.model_dump(mode="json")))
        given["ARCHER_CONFIG"] = str(file)
    ended = subprocess.run(
        [sys.executable, "-m", "archer.cli", "serve", "--port", "0"],
        env=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in ended.stderr
    assert not (folder / "data").exists()
    return ended


def test_without_a_configuration_there_are_no_clusters_to_serve(tmp_path: Path) -> None:
    ended = serve(tmp_path, None)

    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "archer: refused, 1 problem:",
        (
            "  `config` must be a file, got absent; name an archer.yaml, which `moka render ENV` writes: it says which "
            "clusters there are"
        ),
    ]


def test_unknown_clusters_and_contexts_that_are_not_there_are_told_together(tmp_path: Path) -> None:
    ended = serve(
        tmp_path,
        config_of("east", "west"),
        ARCHER_ONLY_CLUSTERS="east,north",
        ARCHER_KUBECONFIG=str(kubeconfig(tmp_path, "lab-west")),
        ARCHER_KUBE_CONTEXTS="south=lab-south",
    )

    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "archer: refused, 3 problems:",
        '  `only_clusters` must be a cluster of the configuration: east, west, got "north"; use one of them',
        '  `kube_contexts` must be a cluster of the configuration: east, west, got "south"; use one of them',
        (
            '  `kubeconfig.context` must be the name of one of its contexts (lab-west), got "east"; '
            "name the one of cluster east: ARCHER_KUBE_CONTEXTS=east=CONTEXT"
        ),
    ]


def test_a_kubeconfig_that_is_not_there_is_one_problem_however_many_clusters_need_it(tmp_path: Path) -> None:
    ended = serve(tmp_path, config_of("east", "west"), ARCHER_KUBECONFIG=str(tmp_path / "none"))

    assert ended.returncode == 2
    first, problem = ended.stderr.splitlines()
    assert first == "archer: refused, 1 problem:"
    assert problem.startswith("  `kubeconfig` must be a kubeconfig that can be read")
    assert "No such file or directory" in problem


@pytest.mark.parametrize("settings", [{}, {"kube_contexts": "east=lab"}])
def test_clusters_that_are_reached_by_a_kubeconfig_need_one(settings: dict[str, str]) -> None:
    with pytest.raises(InvalidSettingsError) as refused:
        find_clusters(load_settings(backend="kubernetes", **settings), config_of("east", access="kubeconfig"))

    assert {problem.path for problem in refused.value.problems} == {"kubeconfig"}
    assert all("absent" in str(problem) for problem in refused.value.problems)


def test_each_served_cluster_is_reached_by_its_own_context(tmp_path: Path) -> None:
    settings = load_settings(
        backend="kubernetes",
        kubeconfig=kubeconfig(tmp_path, "lab-east", "west", "spare"),
        kube_contexts="east=lab-east",
        only_clusters="west,east",
        roles="tracker,janitor",
    )
    store = SqlStore(open_database(f"sqlite:///{tmp_path}/archer.db"))

    found = find_clusters(settings, config_of("east", "north", "west"))
    fleet = make_fleet(settings, found, store)

    # neither server is there: that keeps nobody from starting
    assert list(fleet) == ["east", "west"]
    assert [reach.access.server for reach in found if not callable(reach.access)] == [
        "http://127.0.0.1:1/lab-east",
        "http://127.0.0.1:1/west",
    ]
    fleet.close()
    store.close()


def test_without_a_kubeconfig_eks_is_asked_only_when_a_cluster_is_called() -> None:
    (found,) = find_clusters(load_settings(backend="kubernetes"), config_of("east"))

    assert callable(found.access)


def test_one_machine_has_no_clusters() -> None:
    assert find_clusters(load_settings(backend="local"), None) == ()


@pytest.mark.parametrize(("roles", "told"), [("api,tracker", "api"), ("dispatcher", "dispatcher")])
def test_whoever_could_admit_for_all_servers_must_know_every_cluster(tmp_path: Path, roles: str, told: str) -> None:
    settings = load_settings(
        backend="kubernetes", kubeconfig=kubeconfig(tmp_path, "east", "west"), only_clusters="east", roles=roles
    )

    with pytest.raises(InvalidSettingsError) as refused:
        find_clusters(settings, config_of("east", "west"))

    (problem,) = refused.value.problems
    assert (problem.path, problem.allowed) == ("only_clusters", f"absent, or with west too, where `roles` has {told}")


def test_the_last_jobs_of_a_team_that_left_the_configuration_are_tracked_to_their_end(tmp_path: Path) -> None:
    settings = load_settings(backend="kubernetes", kubeconfig=kubeconfig(tmp_path, "east", "west"))
    database = Database(f"sqlite:///{tmp_path}/archer.db")
    upgrade(database)
    store, now = SqlStore(database), SystemClock().now()
    submission = make_submission().model_dump(mode="json")
    for name in ("runs", "waits"):
        new = NewJob(
            id=f"j-{name}",
            emr_id=name,
            name=name,
            team="gone",
            queue="root.a",
            user="ada",
            cluster="east",
            max_attempts=1,
            labels={},
            submission=submission,
            actor="api:ada",
            at=now,
            namespace=f"spark-{name}",
        )
        store.submit(new)
    attempt = NewAttempt(number=1, name="j-runs-1", memory_rung=1.0, spec={})
    start = Change(
        expect_version=1, actor="d", at=now, message="", to=JobState.SUBMITTING, new_attempt=attempt, cluster="east"
    )
    store.change("j-runs", start)

    fleet = make_fleet(settings, find_clusters(settings, config_of("east", "west")), store)

    own = list(fleet["west"].namespaces)
    assert fleet["east"].namespaces == (*own, "spark-runs")
    fleet.close()
    store.close()
