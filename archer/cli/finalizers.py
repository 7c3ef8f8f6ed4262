"""`archer finalizers release`: frees drivers' pods that Archer keeps, for whoever takes Archer off a cluster.

Works at the cluster itself, as whom a kubeconfig or AWS says; no server is needed, as there may be none any more.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from archer.cli.options import Output
from archer.cli.output import OutputFormat, say, write_columns, write_json
from archer.errors import InvalidSettingsError, Problem

if TYPE_CHECKING:
    from archer.backends.kubernetes.records import DriverRecord
    from archer.kubernetes.access import Access

HELP: Final = "Look after the finalizers that keep drivers' pods until their end is recorded."

_RUNS: Final = "kept: it runs"
_TO_RELEASE: Final = "to release"
_RELEASED: Final = "released"
"""What becomes of a driver's finalizer, as the answer says it."""


def release(
    *,
    namespace: Annotated[
        list[str], typer.Option("--namespace", metavar="NAMESPACE", help="Where to look; repeat for more.")
    ],
    kubeconfig: Annotated[
        Path | None,
        typer.Option(
            "--kubeconfig", metavar="FILE", help="How to reach the cluster; else KUBECONFIG, else ~/.kube/config."
        ),
    ] = None,
    context: Annotated[
        str | None, typer.Option("--context", metavar="CONTEXT", help="Of the kubeconfig; else its current one.")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", metavar="CLUSTER", help="A cluster of archer.yaml instead, reached by AWS' rights."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", envvar="ARCHER_CONFIG", help="The archer.yaml that --cluster is of."),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Also drivers that run: they run on, and nobody keeps how they end.", show_default=False
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without this, only say what would be done.", show_default=False)
    ] = False,
    output: Output = OutputFormat.TABLE,
) -> None:
    """Take Archer's finalizer off drivers' pods, so that they and their namespace can go.

    Drivers that ended or are being deleted, unless --all is given. While Archer runs it does this itself, as soon as an
    end is recorded: use this when Archer is gone for good. An end that was not recorded is lost.
    """
    from archer.backends.kubernetes.freeing import free, kept  # noqa: PLC0415  # other commands need no cluster
    from archer.kubernetes.client import ApiClient  # noqa: PLC0415

    rows: list[tuple[str, DriverRecord, str]] = []
    with ApiClient(_access(kubeconfig, context, cluster, config)) as client:
        for each in dict.fromkeys(namespace):
            for driver in kept(client, each):
                if not (everything or driver.ended or driver.deleted is not None):
                    action = _RUNS
                elif not yes:
                    action = _TO_RELEASE
                else:
                    action = _RELEASED if free(client, each, driver.name) else "gone"
                rows.append((each, driver, action))
    if output is OutputFormat.JSON:
        write_json(
            [
                {"namespace": place, "pod": driver.name, "phase": driver.phase, "action": word}
                for place, driver, word in rows
            ]
        )
    elif rows:
        write_columns(
            ["NAMESPACE", "POD", "PHASE", "ACTION"],
            [[place, driver.name, driver.phase, word] for place, driver, word in rows],
        )
    _summary([word for _, _, word in rows], yes=yes)


def _summary(words: Sequence[str], *, yes: bool) -> None:
    running = words.count(_RUNS)
    if not words:
        say("no driver is kept there")
    elif not yes:
        say(f"{words.count(_TO_RELEASE)} would be released; give --yes to do it")
    else:
        say(f"{words.count(_RELEASED)} released")
    if running:
        say(f"{running} run and are kept; wait for their end, or give --all")


def _access(kubeconfig: Path | None, context: str | None, cluster: str | None, config: Path | None) -> "Access":
    from archer.cluster_config import load_cluster_config  # noqa: PLC0415
    from archer.kubernetes.access import Access  # noqa: PLC0415

    if cluster is None:
        named = os.environ.get("KUBECONFIG") or "~/.kube/config"
        return Access.from_kubeconfig(kubeconfig or Path(named).expanduser(), context)
    if config is None:
        fix = "give --config, or leave --cluster out and give --context"
        raise InvalidSettingsError([Problem(path="config", value="absent", allowed="an archer.yaml", fix=fix)])
    environment = load_cluster_config(config)
    found = environment.cluster(cluster)
    if found is None:
        known = ", ".join(each.name for each in environment.clusters)
        problem = Problem(path="cluster", value=cluster, allowed=f"one of {known}", fix="use one of these")
        raise InvalidSettingsError([problem])
    return Access.from_eks(found.eks_name, environment.region)


COMMANDS: Final[Sequence[tuple[str, Callable[..., None]]]] = (("release", release),)
