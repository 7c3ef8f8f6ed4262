"""What each service account may do, as one table: a change of any right shows here."""

from collections import defaultdict
from typing import Any

import pytest

from k8s_manifests.base import MokaChart
from k8s_manifests.errors import ChartError
from k8s_manifests.rbac import Group, Rule, Subject, add_cluster_role, add_role, add_service_account

GOLDEN = """
spark-ads/spark: in spark-ads
  configmaps: create delete deletecollection get list patch watch
  persistentvolumeclaims: create delete deletecollection get list patch watch
  pods: create delete deletecollection get list patch watch
  services: delete deletecollection get list
moka-system/cluster-autoscaler: in moka-system
  configmaps: create list watch
  configmaps[cluster-autoscaler-status]: delete get update
  coordination.k8s.io/leases: create
  coordination.k8s.io/leases[cluster-autoscaler]: get update
moka:archer: in spark-ads
  events: list watch
  pods: delete get list patch watch
  pods/log: get
  resourcequotas: get list watch
  sparkoperator.k8s.io/sparkapplications: create delete get list watch
moka-operator/spark-operator-controller: in moka-operator
  coordination.k8s.io/leases: create
  coordination.k8s.io/leases[spark-operator-controller-lock]: get update
  events: create patch update
moka-operator/spark-operator-controller: in spark-ads
  configmaps: create get list patch update watch
  events: create patch update
  networking.k8s.io/ingresses: create delete get list update watch
  pods: create delete get list update watch
  services: create delete get list patch update watch
  sparkoperator.k8s.io/scheduledsparkapplications: get list watch
  sparkoperator.k8s.io/scheduledsparkapplications/finalizers: update
  sparkoperator.k8s.io/scheduledsparkapplications/status: update
  sparkoperator.k8s.io/sparkapplications: create delete get list watch
  sparkoperator.k8s.io/sparkapplications/finalizers: update
  sparkoperator.k8s.io/sparkapplications/status: update
  sparkoperator.k8s.io/sparkconnects: get list watch
  sparkoperator.k8s.io/sparkconnects/finalizers: update
  sparkoperator.k8s.io/sparkconnects/status: update
moka-operator/spark-operator-webhook: in moka-operator
  coordination.k8s.io/leases: create
  coordination.k8s.io/leases[spark-operator-webhook-lock]: get update
  events: create patch update
  secrets: create
  secrets[spark-operator-webhook-certs]: get update
moka-yunikorn/yunikorn-admin: in moka-yunikorn
  configmaps: get list watch
moka-yunikorn/yunikorn-admission-controller: in moka-yunikorn
  configmaps: get list watch
  secrets[admission-controller-secrets]: get update
moka-system/load-balancer-controller-certificate: in moka-system
  secrets: create
  secrets[load-balancer-controller-webhook]: get
moka-system/load-balancer-controller: in moka-system
  coordination.k8s.io/leases: create
  coordination.k8s.io/leases[aws-load-balancer-controller-leader]: get update
  discovery.k8s.io/endpointslices: get list watch
  elbv2.k8s.aws/targetgroupbindings: get list patch watch
  elbv2.k8s.aws/targetgroupbindings/status: patch
  events: create patch
  networking.k8s.io/ingresses: get list watch
  pods: get list watch
  services: get list watch
moka-system/cluster-autoscaler: in the cluster
  apps/daemonsets: get list watch
  apps/replicasets: get list watch
  apps/statefulsets: get list watch
  batch/jobs: get list watch
  events: create patch
  namespaces: get list watch
  nodes: get list update watch
  persistentvolumeclaims: get list watch
  persistentvolumes: get list watch
  pods: get list watch
  pods/eviction: create
  policy/poddisruptionbudgets: list watch
  replicationcontrollers: get list watch
  resource.k8s.io/deviceclasses: get list watch
  resource.k8s.io/resourceclaims: get list watch
  resource.k8s.io/resourceslices: get list watch
  services: get list watch
  storage.k8s.io/csidrivers: get list watch
  storage.k8s.io/csinodes: get list watch
  storage.k8s.io/csistoragecapacities: get list watch
  storage.k8s.io/storageclasses: get list watch
  storage.k8s.io/volumeattachments: get list watch
moka-operator/spark-operator-controller: in the cluster
  apiextensions.k8s.io/customresourcedefinitions: get
moka-operator/spark-operator-webhook: in the cluster
  admissionregistration.k8s.io/mutatingwebhookconfigurations: list watch
  admissionregistration.k8s.io/validatingwebhookconfigurations: list watch
  admissionregistration.k8s.io/validatingwebhookconfigurations[spark-operator-webhook]: get update
moka-yunikorn/yunikorn-admin: in the cluster
  apps/replicasets: list watch
  apps/statefulsets: list watch
  events.k8s.io/events: create patch
  namespaces: list watch
  nodes: list watch
  persistentvolumeclaims: list update watch
  persistentvolumes: list update watch
  pods: create delete get list update watch
  pods/binding: create
  pods/status: update
  replicationcontrollers: list watch
  scheduling.k8s.io/priorityclasses: list watch
  services: list watch
  storage.k8s.io/csidrivers: list watch
  storage.k8s.io/csinodes: list watch
  storage.k8s.io/csistoragecapacities: list watch
  storage.k8s.io/storageclasses: list watch
  storage.k8s.io/volumeattachments: list watch
moka-yunikorn/yunikorn-admission-controller: in the cluster
  admissionregistration.k8s.io/mutatingwebhookconfigurations: create
  admissionregistration.k8s.io/mutatingwebhookconfigurations[yunikorn-admission-controller-mutations]: get update
  admissionregistration.k8s.io/validatingwebhookconfigurations: create
  admissionregistration.k8s.io/validatingwebhookconfigurations[yunikorn-admission-controller-validations]: get update
  namespaces: list watch
  scheduling.k8s.io/priorityclasses: list watch
moka-system/load-balancer-controller-certificate: in the cluster
  admissionregistration.k8s.io/mutatingwebhookconfigurations[load-balancer-controller-webhook]: get patch
  admissionregistration.k8s.io/validatingwebhookconfigurations[load-balancer-controller-webhook]: get patch
moka-system/load-balancer-controller: in the cluster
  elbv2.k8s.aws/ingressclassparams: get list watch
  networking.k8s.io/ingressclasses: get list watch
  nodes: get list watch
"""
"""Rights in one team's namespace and in the platform's; the other teams' equal the first one's."""


def _granted(rendered: Any) -> dict[str, dict[str, set[str]]]:
    """Verbs by resource by "<service account>: in <where>", worked out from the bindings."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for kind in ("Role", "ClusterRole"):
        for binding in rendered.of_kind(f"{kind}Binding"):
            namespace = binding["metadata"].get("namespace")
            role = rendered.one(kind, binding["roleRef"]["name"], namespace)
            for subject in binding["subjects"]:
                name = f"{subject['namespace']}/{subject['name']}" if "namespace" in subject else subject["name"]
                who = f"{name}: in {namespace or 'the cluster'}"
                for rule in role["rules"]:
                    names = f"[{','.join(rule['resourceNames'])}]" if "resourceNames" in rule else ""
                    for group in rule["apiGroups"]:
                        for resource in rule["resources"]:
                            found[who][f"{group}/{resource}{names}".lstrip("/")] |= set(rule["verbs"])
    return found


def _text(granted: dict[str, dict[str, set[str]]]) -> str:
    lines = []
    for who, rights in granted.items():
        lines.append(who)
        lines += [f"  {resource}: {' '.join(sorted(verbs))}" for resource, verbs in sorted(rights.items())]
    return "\n".join(lines)


def test_service_accounts_may_do_what_the_table_says_and_nothing_else(dev: Any) -> None:
    granted = {who: rights for who, rights in _granted(dev).items() if "spark-shared" not in who}

    assert _text(granted) == GOLDEN.strip()


def test_every_team_has_the_same_rights_in_its_own_namespace_and_none_elsewhere(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        granted = _granted(rendered)
        cluster = rendered.environment.cluster(rendered.cluster)
        namespaces = [f"spark-{team.name}" for team in rendered.environment.teams_on(cluster)]
        for account in ("{namespace}/spark", "moka-operator/spark-operator-controller", "moka:archer"):
            tables = [granted[f"{account.format(namespace=namespace)}: in {namespace}"] for namespace in namespaces]
            assert all(table == tables[0] for table in tables)
        drivers = {who for who in granted if "/spark:" in who}
        assert drivers == {f"{namespace}/spark: in {namespace}" for namespace in namespaces}
        archer = {who for who in granted if "archer: in" in who}
        assert archer == {f"moka:archer: in {namespace}" for namespace in namespaces}, (
            "on every cluster, by group alone"
        )


def test_a_wildcard_is_refused() -> None:
    with pytest.raises(ChartError, match=r"rule for pods: holds the wildcard \*"):
        Rule(resources=("pods",), verbs=("*",))


def test_a_creation_limited_by_name_is_refused_because_it_never_matches() -> None:
    with pytest.raises(ChartError, match="limits create by object name, which never matches"):
        Rule(resources=("secrets",), names=("certs",), verbs=("create", "get"))


def test_a_role_comes_with_the_binding_that_gives_it_away(chart: MokaChart) -> None:
    subject = Subject(name="reader", namespace="moka-system")
    add_service_account(chart, subject)
    add_role(chart, "read", (Rule(resources=("pods",), verbs=("get",)),), namespace="spark-ads", subject=subject)
    add_cluster_role(chart, "read", (Rule(resources=("nodes",), verbs=("get",)),), subject=subject)

    account, role, binding, cluster_role, cluster_binding = chart.manifests()
    assert account["automountServiceAccountToken"] is False
    assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == "spark-ads"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "reader", "namespace": "moka-system"}]
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "read"}
    assert cluster_binding["roleRef"]["kind"] == cluster_role["kind"] == "ClusterRole"


def test_a_group_is_bound_without_a_namespace(chart: MokaChart) -> None:
    rule = Rule(resources=("pods",), verbs=("get",))
    add_role(chart, "read", (rule,), namespace="spark-ads", subject=Group(name="moka:archer"))

    _role, binding = chart.manifests()
    assert binding["subjects"] == [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "moka:archer"}]


def test_two_charts_of_one_app_keep_their_objects_apart() -> None:
    import cdk8s

    app = cdk8s.App()
    first, second = (MokaChart(app, name, labels={}) for name in ("First", "Second"))
    for each in (first, second):
        add_service_account(each, Subject(name="same", namespace="moka-system"))

    assert len(first.manifests()) == len(second.manifests()) == 1
