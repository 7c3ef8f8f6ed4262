"""Rules that every rendered object of every cluster of every shipped environment keeps."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from environments import names as moka_names
from environments.instances import instance_types
from k8s_manifests import labels
from k8s_manifests.kinds import is_namespaced
from k8s_manifests.placement import node_labels, node_taints

NOT_RESTRICTED = {"DaemonSet/log-shipper"}
"""The pods that do not keep to the restricted profile, each with its reason on it."""
BUILT_IN_CLASSES = {"system-cluster-critical", "system-node-critical"}


def _pods(rendered: Any) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Name, pod metadata and pod spec of every workload."""
    for manifest in rendered.manifests:
        template = (
            manifest.get("spec", {}).get("template", {}) if manifest["kind"] != "CustomResourceDefinition" else {}
        )
        if "spec" in template:
            yield f"{manifest['kind']}/{manifest['metadata']['name']}", template["metadata"], template["spec"]


@pytest.fixture(scope="session")
def workloads(every_cluster: list[Any]) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    found = [pod for rendered in every_cluster for pod in _pods(rendered)]
    assert found, "no workload was rendered at all"
    return found


@pytest.fixture(scope="session")
def containers(workloads: list[Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{name}/{container['name']}", container)
        for name, _metadata, spec in workloads
        for container in [*spec.get("initContainers", []), *spec["containers"]]
    ]


def test_every_object_has_a_namespace_exactly_when_its_kind_lives_in_one(every_cluster: list[Any]) -> None:
    wrong = [
        (manifest["kind"], manifest["metadata"]["name"])
        for rendered in every_cluster
        for manifest in rendered.manifests
        if ("namespace" in manifest["metadata"]) != is_namespaced(manifest["apiVersion"], manifest["kind"])
    ]

    assert wrong == []


def test_every_namespace_that_is_used_is_rendered_before_it_is_used(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        known: set[str] = set()
        for manifest in rendered.manifests:
            namespace = manifest["metadata"].get("namespace")
            assert namespace is None or namespace in known, manifest["metadata"]
            if manifest["kind"] == "Namespace":
                known.add(manifest["metadata"]["name"])


def test_no_object_is_rendered_twice(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        identities = Counter(
            (m["apiVersion"], m["kind"], m["metadata"].get("namespace"), m["metadata"]["name"])
            for m in rendered.manifests
        )
        assert [identity for identity, times in identities.items() if times > 1] == []


def test_every_object_says_what_it_belongs_to(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        for manifest in rendered.manifests:
            found = manifest["metadata"]["labels"]
            assert found[labels.PART_OF] == "moka"
            assert found[labels.MANAGED_BY] == "moka"
            assert found[labels.ENVIRONMENT] == rendered.environment.name
            assert found[labels.NAME]
            assert labels.problems(found) == []


def test_images_come_from_the_environments_registry_with_a_version(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        registry = moka_names.registry(rendered.environment)
        for name, _metadata, spec in _pods(rendered):
            for container in spec["containers"]:
                assert container["image"].startswith(f"{registry}/"), name
                image = container["image"].removeprefix(f"{registry}/")
                assert re.fullmatch(r"[a-z0-9/-]+:(v|[a-z]+-)?\d+\.\d+\.\d+(-[0-9a-f]{12})?", image), name


def test_the_word_latest_is_nowhere(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        assert [name for name, text in rendered.files.items() if "latest" in text] == []


def test_containers_have_requests_and_limits(containers: list[Any]) -> None:
    for name, container in containers:
        resources = container["resources"]
        assert set(resources["requests"]) == set(resources["limits"]) == {"cpu", "memory"}, name
        assert resources["requests"]["memory"] == resources["limits"]["memory"], name


def test_containers_that_stay_have_probes_on_ports_by_http(workloads: list[Any]) -> None:
    for name, _metadata, spec in workloads:
        for container in spec["containers"] if not name.startswith("Job/") else ():
            assert container["readinessProbe"]["httpGet"]["port"] > 0, name
            assert container["livenessProbe"]["httpGet"]["port"] > 0, name


def test_a_job_ends_by_itself_and_its_name_is_of_what_it_does(every_cluster: list[Any]) -> None:
    jobs = [job for rendered in every_cluster for job in rendered.of_kind("Job")]

    assert jobs
    for job in jobs:
        assert re.fullmatch(r".*-[0-9a-f]{8}", job["metadata"]["name"])
        assert job["spec"]["activeDeadlineSeconds"] <= 600
        assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_containers_keep_to_the_restricted_profile(containers: list[Any]) -> None:
    for name, container in containers:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "privileged": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": name.rsplit("/", 1)[0] not in NOT_RESTRICTED,
            "seccompProfile": {"type": "RuntimeDefault"},
        }, name


def test_pods_keep_to_the_restricted_profile(workloads: list[Any]) -> None:
    for name, metadata, spec in workloads:
        restricted = name not in NOT_RESTRICTED
        assert spec["securityContext"]["runAsNonRoot"] is restricted, name
        assert (spec["securityContext"]["runAsUser"] > 0) is restricted, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), name
        kinds = {kind for volume in spec["volumes"] for kind in set(volume) - {"name"}}
        assert kinds <= {"emptyDir", "secret", "configMap"} | (set() if restricted else {"hostPath"}), name
        assert (labels.NOT_RESTRICTED in metadata.get("annotations", {})) is not restricted, name
        assert all("sizeLimit" in volume["emptyDir"] for volume in spec["volumes"] if "emptyDir" in volume), name


def test_everything_mounted_is_a_volume_and_the_other_way_round(workloads: list[Any]) -> None:
    for name, _metadata, spec in workloads:
        mounted = {mount["name"] for container in spec["containers"] for mount in container["volumeMounts"]}
        # a claim of a StatefulSet is a volume of its own making
        claimed = {"ratis"} if name == "StatefulSet/celeborn-master" else set()
        assert mounted == {volume["name"] for volume in spec["volumes"]} | claimed, name


def _may_be_on(spec: dict[str, Any], node: dict[str, str]) -> bool:
    """Whether the pod's selector and affinity let it on a node with these labels."""
    if not spec.get("nodeSelector", {}).items() <= node.items():
        return False
    if "affinity" not in spec:
        return "nodeSelector" in spec
    (term,) = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    (expression,) = term["matchExpressions"]
    assert expression["operator"] == "In"
    return node.get(expression["key"]) in expression["values"]


def test_pods_select_nodes_that_some_pool_makes(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        pools = rendered.environment.cluster(rendered.cluster).pools
        for name, _metadata, spec in _pods(rendered):
            matching = [pool for pool in pools if _may_be_on(spec, node_labels(pool))]
            assert matching, f"{name} selects nodes that no pool of {rendered.cluster} has"
            tolerated = {(each["key"], each["value"], each["effect"]) for each in spec.get("tolerations", ())}
            for pool in matching:
                taints = {(each["key"], each["value"], each["effect"]) for each in node_taints(pool)}
                assert taints <= tolerated, f"{name} may be put on {pool.name} and does not tolerate its taints"


def test_the_platform_runs_on_system_pools_alone_but_for_what_each_node_of_jobs_has(workloads: list[Any]) -> None:
    for name, _metadata, spec in workloads:
        roles = {
            role for role in ("system", "driver", "executor", "celeborn") if _may_be_on(spec, {"moka.dev/role": role})
        }
        wanted = {"DaemonSet/log-shipper": {"driver", "executor"}, "StatefulSet/celeborn-worker": {"celeborn"}}
        assert roles == wanted.get(name, {"system"}), name


def test_the_platform_fits_its_smallest_set_of_nodes_with_one_gone(every_cluster: list[Any]) -> None:
    # requests of all replicas against the smallest number of nodes less one; a tenth is Kubernetes' own
    for rendered in every_cluster:
        environment = rendered.environment
        pools = [pool for pool in environment.cluster(rendered.cluster).pools if pool.role == "system"]
        node = instance_types()[pools[0].instance_types[0]]
        nodes = sum(pool.min_nodes_per_zone * len(environment.pool_zones(pool)) for pool in pools) - 1
        cpu_millis = memory_mib = 0
        on_system = [
            each
            for each in rendered.of_kind("Deployment") + rendered.of_kind("StatefulSet")
            if each["spec"]["template"]["spec"]["nodeSelector"]["moka.dev/role"] == "system"
        ]
        for deployment in on_system:
            for container in deployment["spec"]["template"]["spec"]["containers"]:
                requests = container["resources"]["requests"]
                cpu_millis += deployment["spec"]["replicas"] * int(requests["cpu"].removesuffix("m"))
                memory_mib += deployment["spec"]["replicas"] * int(requests["memory"].removesuffix("Mi"))
        assert cpu_millis <= nodes * node.vcpu * 900, f"{environment.name}/{rendered.cluster}"
        assert memory_mib <= nodes * node.memory_mib * 0.9, f"{environment.name}/{rendered.cluster}"


def test_pods_that_have_a_sibling_are_kept_on_another_node(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        for deployment in rendered.of_kind("Deployment") + rendered.of_kind("StatefulSet"):
            spread = {
                each["topologyKey"]: (each["whenUnsatisfiable"], each["labelSelector"])
                for each in deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
            }
            selector = deployment["spec"]["selector"]
            assert spread["kubernetes.io/hostname"] == ("DoNotSchedule", selector)
            assert spread["topology.kubernetes.io/zone"] == ("ScheduleAnyway", selector)


def test_every_deployment_and_stateful_set_has_a_disruption_budget_of_one(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        budgets = {
            (each["metadata"]["namespace"], tuple(sorted(each["spec"]["selector"]["matchLabels"].items()))): each[
                "spec"
            ]
            for each in rendered.of_kind("PodDisruptionBudget")
        }
        for deployment in rendered.of_kind("Deployment") + rendered.of_kind("StatefulSet"):
            selector = tuple(sorted(deployment["spec"]["selector"]["matchLabels"].items()))
            budget = budgets[(deployment["metadata"]["namespace"], selector)]
            assert budget["maxUnavailable"] == 1
            assert "minAvailable" not in budget


def test_a_deployment_selects_its_own_pods_and_nobody_elses(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        deployments = rendered.of_kind("Deployment")
        for deployment in deployments:
            selector = deployment["spec"]["selector"]["matchLabels"]
            assert labels.VERSION not in selector
            chosen = [
                other["metadata"]["name"]
                for other in deployments
                if other["metadata"]["namespace"] == deployment["metadata"]["namespace"]
                and selector.items() <= other["spec"]["template"]["metadata"]["labels"].items()
            ]
            assert chosen == [deployment["metadata"]["name"]]


def test_a_service_leads_to_a_port_that_its_pods_open(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        for service in rendered.of_kind("Service"):
            (target,) = (
                deployment
                for kind in ("Deployment", "StatefulSet", "DaemonSet")
                for deployment in rendered.of_kind(kind)
                if deployment["metadata"]["namespace"] == service["metadata"]["namespace"]
                and service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
            )
            opened = {
                port["name"]: port["containerPort"]
                for container in target["spec"]["template"]["spec"]["containers"]
                for port in container["ports"]
            }
            for port in service["spec"]["ports"]:
                assert port["targetPort"] in opened, service["metadata"]["name"]


def test_service_accounts_and_priority_classes_that_pods_name_exist(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        accounts = {
            (each["metadata"]["namespace"], each["metadata"]["name"]) for each in rendered.of_kind("ServiceAccount")
        }
        classes = {each["metadata"]["name"] for each in rendered.of_kind("PriorityClass")} | BUILT_IN_CLASSES
        for workload in (
            each for kind in ("Deployment", "StatefulSet", "DaemonSet", "Job") for each in rendered.of_kind(kind)
        ):
            spec = workload["spec"]["template"]["spec"]
            assert (workload["metadata"]["namespace"], spec["serviceAccountName"]) in accounts
            assert spec["priorityClassName"] in classes


def test_bindings_join_roles_and_service_accounts_that_exist(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        accounts = {
            (each["metadata"]["namespace"], each["metadata"]["name"]) for each in rendered.of_kind("ServiceAccount")
        }
        for kind in ("Role", "ClusterRole"):
            roles = {(m["metadata"].get("namespace"), m["metadata"]["name"]) for m in rendered.of_kind(kind)}
            bindings = rendered.of_kind(f"{kind}Binding")
            bound = {(b["metadata"].get("namespace"), b["roleRef"]["name"]) for b in bindings}
            assert {b["roleRef"]["kind"] for b in bindings} == {kind}
            assert bound == roles
            for binding in bindings:
                (subject,) = binding["subjects"]
                if subject["kind"] == "Group":
                    # the one that access entries put Archer's role into
                    assert subject["name"] == moka_names.ARCHER_GROUP
                else:
                    assert (subject["namespace"], subject["name"]) in accounts


def test_no_rule_grants_a_wildcard_or_a_way_to_more_rights(every_cluster: list[Any]) -> None:
    escalating = {"bind", "escalate", "impersonate"}
    for rendered in every_cluster:
        for role in rendered.of_kind("Role") + rendered.of_kind("ClusterRole"):
            for rule in role["rules"]:
                granted = set(rule["apiGroups"]) | set(rule["resources"]) | set(rule["verbs"])
                assert "*" not in granted, role["metadata"]
                assert not escalating & granted, role["metadata"]
                assert not {"pods/exec", "pods/attach", "serviceaccounts/token"} & granted, role["metadata"]


def test_secrets_are_granted_by_name_but_for_their_creation(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        for role in rendered.of_kind("Role") + rendered.of_kind("ClusterRole"):
            for rule in role["rules"]:
                if "secrets" in rule["resources"]:
                    assert role["kind"] == "Role", "a ClusterRole reads secrets of every namespace"
                    assert rule.get("resourceNames") or rule["verbs"] == ["create"], role["metadata"]


def test_no_manifest_holds_a_secret_but_one_that_is_empty_and_never_written_again(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        for secret in rendered.of_kind("Secret"):
            assert not {"data", "stringData"} & set(secret), secret["metadata"]
            assert secret["metadata"]["annotations"] == {"moka.dev/create-only": "true"}
