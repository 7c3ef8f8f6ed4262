"""Makes the backends that settings and configuration ask for."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from archer.backends.fleet import Fleet
from archer.backends.kubernetes.backend import KubernetesBackend
from archer.backends.local.backend import LocalBackend
from archer.cluster_config import ClusterConfig, ClusterView
from archer.errors import InvalidSettingsError, Problem
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


def make_fleet(settings: ServeSettings, config: ClusterConfig | None, store: Store) -> Fleet:
    """The places where jobs run. Raises InvalidSettingsError, InvalidAccessError for a kubeconfig that won't do.

    No cluster is asked for anything: one that is away keeps no server from starting.
    """
    if settings.backend == "local":
        return Fleet([LocalBackend(settings, os.environ)])
    if config is None:
        fix = "name an archer.yaml, which `moka render ENV` writes: it says which clusters there are"
        raise InvalidSettingsError([Problem(path="config", value="absent", allowed="a file", fix=fix)])
    backends = []
    for view in _served(settings, config):
        client = ApiClient(_access(settings, config, view), timeout_seconds=REQUEST_SECONDS, pool_size=_CALLS)
        backends.append(
            KubernetesBackend(config=config, cluster=view, client=client, known=store.known_attempts, text=store.text)
        )
    return Fleet(backends)


def figures(fleet: Fleet) -> Sequence[ListenerFigures]:
    """What the backends tell of their listening, for `/metrics`."""
    return [_figures_of(backend) for backend in fleet.values() if isinstance(backend, KubernetesBackend)]


def _served(settings: ServeSettings, config: ClusterConfig) -> Sequence[ClusterView]:
    by_name = {view.name: view for view in config.clusters}
    named = settings.only_clusters or tuple(by_name)
    contexts = [text.partition("=")[0] for text in settings.kube_contexts]
    problems = [
        Problem(
            path=path,
            value=shown(name),
            allowed=f"a cluster of the configuration: {', '.join(by_name)}",
            fix="use one of them",
        )
        for path, names in (("only_clusters", named), ("kube_contexts", contexts))
        for name in names
        if name not in by_name
    ]
    if problems:
        raise InvalidSettingsError(problems)
    return [by_name[name] for name in named]


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
