"""Makes the backends that settings and configuration ask for."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import structlog

from archer.backends.fleet import Fleet
from archer.backends.kubernetes.backend import KubernetesBackend
from archer.backends.local.backend import LocalBackend
from archer.cluster_config import ClusterConfig, ClusterView
from archer.errors import InvalidInputError, InvalidSettingsError, Problem, StoreUnavailableError
from archer.kubernetes.access import Access
from archer.kubernetes.client import ApiClient
from archer.problems import shown
from archer.settings import ServeSettings
from archer.store.interface import Store
from archer.worker_metrics import Finalizers, ListenerFigures, Watched

REQUEST_SECONDS: Final = 15.0
"""Longest time that one call of an API server may take; a launcher's claim outlives it."""
_CALLS: Final = 16
"""Of one cluster, at the same time."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Reach:
    """A cluster that this process serves, and the way to it."""

    config: ClusterConfig
    view: ClusterView
    access: Access | Callable[[], Access]


def find_clusters(settings: ServeSettings, config: ClusterConfig | None) -> Sequence[Reach]:
    """The clusters that this process serves; none on one machine.

    Raises InvalidSettingsError with all that is wrong with the settings and the kubeconfig. No cluster is asked for
    anything: one that is away keeps no server from starting.
    """
    if settings.backend == "local":
        return ()
    if config is None:
        fix = "name an archer.yaml, which `moka render ENV` writes: it says which clusters there are"
        raise InvalidSettingsError([Problem(path="config", value="absent", allowed="a file", fix=fix)])
    found, problems = [], [*_unknown_clusters(settings, config), *_left_out(settings, config)]
    for view in _served(settings, config):
        try:
            found.append(Reach(config=config, view=view, access=_access(settings, config, view)))
        except InvalidInputError as error:
            told = [_of_setting(problem, view) for problem in error.problems]
            # of a kubeconfig that can't be read each cluster says the same
            problems += [problem for problem in told if problem not in problems]
    if problems:
        raise InvalidSettingsError(problems)
    return found


def make_fleet(settings: ServeSettings, clusters: Sequence[Reach], store: Store) -> Fleet:
    """The places where jobs run."""
    if settings.backend == "local":
        return Fleet([LocalBackend(settings, os.environ)])
    backends, busy = [], _busy_namespaces(store)
    for reach in clusters:
        client = ApiClient(reach.access, timeout_seconds=REQUEST_SECONDS, pool_size=_CALLS)
        backends.append(
            KubernetesBackend(
                config=reach.config,
                cluster=reach.view,
                client=client,
                known=store.known_attempts,
                text=store.text,
                sweep_after_seconds=settings.sweep_after_seconds,
                busy=busy.get(reach.view.name, ()),
            )
        )
    return Fleet(backends)


def _busy_namespaces(store: Store) -> Mapping[str, Collection[str]]:
    """Namespaces with active jobs, by cluster: a team that left the configuration has its last jobs tracked to their end."""
    found: dict[str, set[str]] = {}
    try:
        for held in store.usage():
            if held.namespace is not None:
                found.setdefault(held.cluster, set()).add(held.namespace)
    except StoreUnavailableError as error:
        # a database that is away keeps no server from starting
        _log.warning(
            "jobs of namespaces that left the configuration are tracked from the next start on", error=str(error)
        )
    return found


def figures(fleet: Fleet) -> Sequence[ListenerFigures]:
    """What the backends tell of their listening, for `/metrics`."""
    return [_figures_of(backend) for backend in fleet.values() if isinstance(backend, KubernetesBackend)]


def _unknown_clusters(settings: ServeSettings, config: ClusterConfig) -> Sequence[Problem]:
    known = [view.name for view in config.clusters]
    contexts = [text.partition("=")[0] for text in settings.kube_contexts]
    problems = [
        Problem(
            path=path,
            value=shown(name),
            allowed=f"a cluster of the configuration: {', '.join(known)}",
            fix="use one of them",
        )
        for path, names in (("only_clusters", settings.only_clusters), ("kube_contexts", contexts))
        for name in names
        if name not in known
    ]
    if settings.kube_contexts and settings.kubeconfig is None:
        fix = "name the file that has these contexts"
        problems.append(Problem(path="kubeconfig", value="absent", allowed="a file with `kube_contexts`", fix=fix))
    return problems


def _left_out(settings: ServeSettings, config: ClusterConfig) -> Sequence[Problem]:
    """One admission serves all servers, so whoever may be it must know every cluster: jobs of others would wait for ever."""
    roles = [role for role in ("api", "dispatcher") if role in settings.roles]
    served = {view.name for view in _served(settings, config)}
    left_out = [view.name for view in config.clusters if view.name not in served]
    misnamed = not served.issuperset(settings.only_clusters)
    if not settings.only_clusters or not left_out or not roles or misnamed:
        return []
    return [
        Problem(
            path="only_clusters",
            value=shown(",".join(settings.only_clusters)),
            allowed=f"absent, or with {', '.join(left_out)} too, where `roles` has {' and '.join(roles)}",
            fix="give the process ARCHER_ROLES=tracker, or a configuration with these clusters alone",
        )
    ]


def _served(settings: ServeSettings, config: ClusterConfig) -> Sequence[ClusterView]:
    return [view for view in config.clusters if not settings.only_clusters or view.name in settings.only_clusters]


def _access(settings: ServeSettings, config: ClusterConfig, view: ClusterView) -> Access | Callable[[], Access]:
    contexts = dict(text.split("=", 1) for text in settings.kube_contexts)
    if settings.kubeconfig is not None:
        return Access.from_kubeconfig(settings.kubeconfig, contexts.get(view.name, view.context or view.name))
    if view.access == "in_cluster":
        return Access.in_cluster()
    if view.access == "kubeconfig":
        fix = f"set it: cluster {view.name} is reached by a context of a kubeconfig"
        raise InvalidSettingsError([Problem(path="kubeconfig", value="absent", allowed="a file", fix=fix)])
    return partial(Access.from_eks, view.eks_name, config.region)


def _of_setting(problem: Problem, view: ClusterView) -> Problem:
    """A problem of a kubeconfig, as one of the settings that lead there."""
    if problem.path == "context":
        fix = f"name the one of cluster {view.name}: ARCHER_KUBE_CONTEXTS={view.name}=CONTEXT"
        return replace(problem, path="kubeconfig.context", fix=fix)
    return problem if problem.path.startswith("kube") else replace(problem, path=f"kubeconfig.{problem.path}")


def _figures_of(backend: KubernetesBackend) -> ListenerFigures:
    watches = []
    for reflector in backend.reflectors():
        told = reflector.figures()
        _, namespace, kind = reflector.name.split("/")
        watches.append(
            Watched(
                cluster=backend.cluster,
                namespace=namespace,
                kind=kind,
                lag_seconds=told.lag_seconds,
                lists=told.lists,
                events=told.events,
            )
        )
    counts = backend.finalizers()
    kept = Finalizers(cluster=backend.cluster, held=backend.held(), released=counts.released, saved=counts.saved)
    return ListenerFigures(watches=watches, finalizers=[kept])
