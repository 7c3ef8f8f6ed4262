"""`moka show` over the shipped environments, from a real synth and a real render."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from environments import environment_names, load

MOKA = str(Path(sys.executable).with_name("moka"))


def test_every_environment_is_shown_with_the_pools_and_namespaces_of_its_file(tmp_path: Path) -> None:
    # from another folder: nothing may depend on where the operator stands
    said = subprocess.run(
        [MOKA, "show", "--all", "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=tmp_path,
    )

    assert said.returncode == 0, said.stderr
    shown = {inventory["name"]: inventory for inventory in json.loads(said.stdout)}
    assert sorted(shown) == sorted(environment_names())
    for name, inventory in shown.items():
        environment = load(name)
        assert (inventory["account"], inventory["region"]) == (environment.account, environment.region)
        wanted = {
            (f"cluster-{cluster.name}", pool.name, zone, pool.role, tuple(pool.instance_types))
            for cluster in environment.clusters
            for pool in cluster.pools
            for zone in environment.pool_zones(pool)
        }
        groups = inventory["node_groups"]
        assert {
            (group["stack"], group["pool"], group["zone"], group["role"], tuple(group["instance_types"]))
            for group in groups
        } == wanted
        assert len(groups) == len(wanted)
        assert {manifests["cluster"] for manifests in inventory["manifests"]} == {
            cluster.name for cluster in environment.clusters
        }
        for manifests in inventory["manifests"]:
            teams = environment.teams_on(environment.cluster(manifests["cluster"]))
            assert manifests["kinds"]["Namespace"] > len(teams)
            assert manifests["kinds"]["CustomResourceDefinition"] >= 1
    assert list(tmp_path.iterdir()) == []


def test_unknown_environment_is_refused_before_any_synth() -> None:
    said = subprocess.run([MOKA, "show", "qa"], capture_output=True, text=True, check=False, timeout=60)

    assert (said.returncode, said.stdout) == (2, "")
    known = ", ".join(environment_names())
    assert said.stderr == f"moka: `ENV` must be one of {known}, got 'qa'; give one of these, or --all\n"
