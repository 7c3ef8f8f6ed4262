"""`python -m testbed real-node up|down`: a control plane with one real node, until Ctrl-C; and its end from elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from moka.local.signals import StopSignals
from testbed import registry
from testbed.binaries import CONTROL_PLANE, binaries, kubernetes_version
from testbed.real_node import image, remains
from testbed.real_node.node import RealNode

KIND = "real node"
app = typer.Typer(
    help="One node that really runs pods: kubelet, containerd and runc in namespaces of their own. Needs root.",
    no_args_is_help=True,
)


@app.command()
def up(*, spark: Annotated[bool, typer.Option(help="import the Spark image too, made now if need be")] = True) -> None:
    """Start a control plane and a node, and stay until Ctrl-C; the host's network and settings stay as they are."""
    started = time.monotonic()
    with StopSignals() as signals, RealNode(spark=spark, say=_say) as node:
        signals.check()
        with registry.entry(node.plane, kind=KIND):
            kubectl = binaries(*CONTROL_PLANE)["kubectl"]
            typer.echo(
                f"Kubernetes {kubernetes_version()} at {node.plane.server}, which is reached from the node's network alone, "
                f"ready after {time.monotonic() - started:.1f} s\n\n"
                f"  {' '.join(node.enter_network)} {kubectl} --kubeconfig={node.plane.kubeconfig} get nodes\n\n"
                + (f"Image for Spark's pods: {image.SPARK}. " if spark else "")
                + "Ctrl-C ends it and leaves nothing."
            )
            while True:
                signals.check()
                node.check()
                time.sleep(0.5)


@app.command()
def down(
    context: Annotated[str | None, typer.Argument(help="context of the real node, when several run")] = None,
) -> None:
    """End a real node that `up` started, and clear away what one that was killed has left."""
    ended = registry.end(context, [each for each in registry.running() if each.kind == KIND], KIND)
    swept = remains.sweep()
    for name in swept:
        typer.echo(f"cleared away what a killed one left: {name}")
    typer.echo(f"{ended} has ended" if ended else "no real node runs")


def _say(line: str) -> None:
    sys.stderr.write(f"real node: {line}\n")
    sys.stderr.flush()
