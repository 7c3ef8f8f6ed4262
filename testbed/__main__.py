"""`python -m testbed`: build the programs, start a control plane with pretended nodes, see what runs, end it.

`up` stays in the foreground, because what it starts lives exactly as long as it does.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from environments.loading import EnvironmentFileError, load
from moka.errors import MokaError
from moka.local.signals import StoppedError, StopSignals
from testbed import registry
from testbed.binaries import CONTROL_PLANE, PACKAGES, REAL_NODE, binaries, kubernetes_version
from testbed.components import Settings
from testbed.control_plane import ControlPlane
from testbed.nodes import PretendedNodes, cluster_of
from testbed.real_node import command as real_node_command

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(
    name="testbed",
    help="A real Kubernetes control plane on this machine, for tests and for trying things.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(real_node_command.app, name="real-node")


@app.command()
def build(
    names: Annotated[list[str] | None, typer.Argument(help=f"programs, of {', '.join(PACKAGES)}")] = None,
    *,
    real_node: Annotated[bool, typer.Option(help="also what a real node needs: kubelet, kube-proxy, CoreDNS")] = False,
) -> None:
    """Build the programs that are not there yet, and print where they are."""
    unknown = [name for name in names or () if name not in PACKAGES]
    if unknown:
        raise typer.BadParameter(f"no program {', '.join(unknown)}; choose of {', '.join(PACKAGES)}")
    wanted = names or [*CONTROL_PLANE, *(REAL_NODE if real_node else ())]
    for path in binaries(*wanted).values():
        typer.echo(path)


@app.command()
def up(
    environment: Annotated[str, typer.Argument(help="environment whose pools the nodes are of, or a file")] = "dev",
    *,
    cluster: Annotated[str | None, typer.Option(help="cluster of the environment; its first by default")] = None,
    per_zone: Annotated[int, typer.Option(min=0, max=100, help="nodes of each pool in each of its zones")] = 1,
    gc_threshold: Annotated[int, typer.Option(min=1, help="finished pods that the control plane keeps")] = 12_500,
) -> None:
    """Start a control plane with the nodes of an environment, and stay until Ctrl-C."""
    chosen = load(environment)
    # mistakes first: nothing is built or started for them
    pools = cluster_of(chosen, cluster).pools
    programs = binaries(*CONTROL_PLANE)
    started = time.monotonic()
    with StopSignals() as signals, ControlPlane(Settings(terminated_pod_gc_threshold=gc_threshold)) as plane:
        signals.check()
        with PretendedNodes(plane) as nodes, registry.entry(plane):
            made = nodes.add_environment(chosen, cluster, per_zone={pool.name: per_zone for pool in pools})
            typer.echo(
                f"Kubernetes {kubernetes_version()} at {plane.server}, {len(made)} nodes of {chosen.name}, "
                f"ready after {time.monotonic() - started:.1f} s\n\n"
                f"  export KUBECONFIG={plane.kubeconfig}\n"
                f"  {programs['kubectl']} get nodes\n\n"
                f"Tests on it:\n"
                f"  MOKA_TESTBED_KUBECONFIG={plane.kubeconfig} MOKA_TESTBED_CONTEXT={plane.context} make e2e\n\n"
                "Pods end as their annotations say: docs/guides/testbed.md. Ctrl-C ends it and leaves nothing."
            )
            while True:
                signals.check()
                plane.keeper.check("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
                time.sleep(0.5)


@app.command()
def status() -> None:
    """List the testbeds that `up` started and that run."""
    running = registry.running()
    for each in running:
        typer.echo(f"{each.pid}  {each.context}  {each.server}  {each.kubeconfig}")
    if not running:
        typer.echo("no testbed runs; `python -m testbed up` starts one")


@app.command()
def down(
    context: Annotated[str | None, typer.Argument(help="context of the testbed, when several run")] = None,
) -> None:
    """End a testbed that `up` started; returns when it is gone."""
    ended = registry.end(context, registry.running())
    typer.echo(f"{ended} has ended" if ended else "no testbed runs")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command; a person's mistake never ends in a stack trace."""
    try:
        app(args=list(sys.argv[1:] if arguments is None else arguments), prog_name="python -m testbed")
    except MokaError as error:
        sys.stderr.write(f"testbed: {error}\n")
        sys.exit(error.exit_code)
    except EnvironmentFileError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except StoppedError as stopped:
        sys.exit(stopped.exit_code)
    sys.exit(0)


if __name__ == "__main__":
    main()
