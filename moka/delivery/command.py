"""The command lines of `moka apply` and `moka diff`."""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from environments import Environment, load
from moka.delivery.reach import Carrier, Direct, ViaLambda, Wishes
from moka.delivery.report import applied, compared, differs, failure
from moka.delivery.sets import chosen_clusters, rendered_sets
from moka.errors import BadInputError, MokaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from environments.clusters import Cluster
    from moka_constructs.manifest_set.handler.request import Action

DIFFERENT: Final = 3


class OutputFormat(StrEnum):
    """What goes to stdout."""

    TEXT = "text"
    JSON = "json"


Env = Annotated[str, typer.Argument(metavar="ENV", help="Name of an environment, or the path of its file.")]
Clusters = Annotated[
    list[str] | None, typer.Option("--cluster", metavar="NAME", help="Only this cluster; may be repeated.")
]
Kubeconfig = Annotated[
    Path | None,
    typer.Option(
        "--kubeconfig",
        metavar="FILE",
        help="Reach the one cluster through this file; without it EKS is asked where each is. KUBECONFIG is not read.",
    ),
]
ContextName = Annotated[
    str | None,
    typer.Option("--context", metavar="NAME", help="With --kubeconfig: another context than its current one."),
]
Through = Annotated[
    bool, typer.Option("--via-lambda", help="Let the cluster's function do it: for API servers that are out of reach.")
]
Profile = Annotated[str | None, typer.Option("--profile", metavar="NAME", help="Profile of the AWS configuration.")]
Output = Annotated[OutputFormat, typer.Option("--output", help="Text for people or JSON for programs.")]
Seconds = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=1, help="Time for each set; not with --via-lambda.")
]


def apply_command(
    environment: Env,
    *,
    cluster: Clusters = None,
    kubeconfig: Kubeconfig = None,
    context: ContextName = None,
    via_lambda: Through = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete what left the set, but for CRDs and namespaces that hold jobs.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--everything", help="With --prune: those, too, with all objects and jobs in them.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, as `moka diff` does, and exit 0.")
    ] = False,
    force_conflicts: Annotated[
        list[str] | None,
        typer.Option(
            "--force-conflicts",
            metavar="FIELD",
            help="Take this field from whoever owns it: .spec.replicas, 'Deployment ns/name:.spec.replicas', * for all; may be repeated.",
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for rollouts on the system pool.")] = True,
    check_images: Annotated[
        bool, typer.Option("--check-images", help="Look images of the account's registry up first, as a deploy does.")
    ] = False,
    timeout: Seconds = 720,
    profile: Profile = None,
    output: Output = OutputFormat.TEXT,
) -> None:
    """Apply an environment's manifests to its clusters, as a deploy does: in order, server-side, waiting for rollouts.

    Nothing is deleted without --prune. What only a deploy knows (the ConfigMap moka-platform) is left alone. Steps are told on
    stderr; a failure names each object and its reason, and the next apply goes on where this one stopped.
    """
    if everything and not prune:
        raise BadInputError("`--everything` must come with --prune: without it nothing is deleted")
    loaded = load(environment)
    reach = _Reach(loaded, kubeconfig, context, profile, via_lambda=via_lambda, seconds=timeout, images=check_images)
    wishes = Wishes(prune=prune, everything=everything, force_fields=tuple(force_conflicts or ()), wait=wait)
    action: Action = "diff" if dry_run else "apply"
    _run(reach, chosen_clusters(loaded, cluster), action, wishes, output)


def diff_command(
    environment: Env,
    *,
    cluster: Clusters = None,
    kubeconfig: Kubeconfig = None,
    context: ContextName = None,
    via_lambda: Through = False,
    timeout: Seconds = 120,
    profile: Profile = None,
    output: Output = OutputFormat.TEXT,
) -> None:
    """Show what an apply would change in an environment's clusters, field by field, as their API servers see it.

    Changes nothing. Exits 3 when anything differs, also when a member left the set and an apply with --prune would delete it.
    """
    loaded = load(environment)
    reach = _Reach(loaded, kubeconfig, context, profile, via_lambda=via_lambda, seconds=timeout, images=False)
    results = _run(reach, chosen_clusters(loaded, cluster), "diff", Wishes(), output)
    raise typer.Exit(DIFFERENT if any(differs(result) for result in results) else 0)


class _Reach:
    """How the clusters of an environment are reached, from the options."""

    def __init__(
        self,
        environment: Environment,
        kubeconfig: Path | None,
        context: str | None,
        profile: str | None,
        *,
        via_lambda: bool,
        seconds: float,
        images: bool,
    ) -> None:
        if context is not None and kubeconfig is None:
            raise BadInputError("`--context` must come with --kubeconfig, the file that has it")
        if via_lambda and kubeconfig is not None:
            raise BadInputError("`--via-lambda` and `--kubeconfig` must not be given together; choose one way")
        self.environment = environment
        self._kubeconfig = kubeconfig
        self._context = context
        self._profile = profile
        self._via_lambda = via_lambda
        self._seconds = seconds
        self._images = images

    @contextmanager
    def carriers(self, clusters: Sequence[Cluster]) -> Iterator[list[Carrier]]:
        """Give a carrier for each cluster. Raises BadInputError, MokaError."""
        if self._kubeconfig is not None and len(clusters) > 1:
            names = ", ".join(cluster.name for cluster in clusters)
            raise BadInputError(f"`--cluster` must name the one that {self._kubeconfig} leads to, of {names}")
        account = None
        if self._kubeconfig is None or self._images:
            # loading boto3 takes half a second, which a kubeconfig has no use for
            from moka.delivery.aws import Account  # noqa: PLC0415

            account = Account(self.environment, self._profile)
        if self._via_lambda and account is not None:
            yield [ViaLambda(account=account, cluster=cluster) for cluster in clusters]
            return
        session = account.session if account is not None and self._images else None
        with tempfile.TemporaryDirectory(prefix="moka-keys-") as scratch:
            servers = [self._server(cluster, account, Path(scratch)) for cluster in clusters]
            yield [
                Direct(server=server, seconds=self._seconds, session=session, account=self.environment.account)
                for server in servers
            ]

    def _server(self, cluster: Cluster, account: Any, scratch: Path) -> Any:
        if self._kubeconfig is None:
            return account.server(cluster)
        from moka.delivery.kubeconfig import read_server  # noqa: PLC0415  # only who names a file needs its reader

        return read_server(self._kubeconfig, self._context, scratch)


def _run(
    reach: _Reach, clusters: Sequence[Cluster], action: Action, wishes: Wishes, output: OutputFormat
) -> list[dict[str, Any]]:
    """Carry every set of every cluster; tell each result at once. Raises MokaError at the first that failed."""
    results: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    text = compared if action == "diff" else applied
    try:
        with reach.carriers(clusters) as carriers:
            for cluster, carrier in zip(clusters, carriers, strict=True):
                for rendered in rendered_sets(reach.environment, cluster):
                    result = carrier.carry(action, rendered, wishes)
                    told.append(
                        {"environment": rendered.environment, "cluster": cluster.name, "set": rendered.name, **result}
                    )
                    if "failed" in result:
                        raise MokaError(failure(rendered, result))
                    if output is OutputFormat.TEXT:
                        sys.stdout.write(f"{text(rendered, result)}\n")
                        sys.stdout.flush()
                    results.append(result)
    finally:
        if output is OutputFormat.JSON and told:
            sys.stdout.write(json.dumps(told, indent=2) + "\n")
    return results
