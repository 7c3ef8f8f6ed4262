import re
from collections.abc import Callable
from typing import Any

from environments import Environment

YUNIKORN_PATTERN = re.compile("^spark-")
"""`processNamespaces` of YuniKorn: it schedules what is here, and nothing else."""


def test_no_namespace_of_the_platform_is_yunikorns_and_every_teams_is(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        names = {each["metadata"]["name"] for each in rendered.of_kind("Namespace")}
        teams = {
            f"spark-{team.name}"
            for team in rendered.environment.teams_on(rendered.environment.cluster(rendered.cluster))
        }

        assert names - teams == {"moka-system", "moka-logs", "moka-operator", "moka-yunikorn", "moka-celeborn"}
        assert {name for name in names if YUNIKORN_PATTERN.match(name)} == teams


def test_every_namespace_but_the_log_shippers_enforces_the_restricted_profile_of_its_kubernetes_version(
    every_cluster: list[Any],
) -> None:
    for rendered in every_cluster:
        version = f"v{rendered.environment.cluster(rendered.cluster).kubernetes_version}"
        for namespace in rendered.of_kind("Namespace"):
            level = "privileged" if namespace["metadata"]["name"] == "moka-logs" else "restricted"
            found = namespace["metadata"]["labels"]
            for mode in ("enforce", "audit", "warn"):
                assert found[f"pod-security.kubernetes.io/{mode}"] == level
                assert found[f"pod-security.kubernetes.io/{mode}-version"] == version


def test_quotas_are_what_the_file_says(every_cluster: list[Any], raw_environments: dict[str, Any]) -> None:
    checked = 0
    for rendered in every_cluster:
        written = {
            f"spark-{team['name']}": team["quota"] for team in raw_environments[rendered.environment.name]["teams"]
        }
        for quota in rendered.of_kind("ResourceQuota"):
            wanted = written[quota["metadata"]["namespace"]]
            hard = quota["spec"]["hard"]
            assert hard["requests.cpu"] == str(wanted["vcores"])
            assert hard["requests.memory"] == hard["limits.memory"] == f"{wanted['memory_gib']}Gi"
            assert hard["pods"] == str(wanted["pods"])
            checked += 1
    assert checked >= len(raw_environments)


def test_a_container_without_requests_gets_some_so_that_the_quota_admits_it(dev: Any) -> None:
    (limit,) = dev.one("LimitRange", "containers", "spark-ads")["spec"]["limits"]

    assert limit["type"] == "Container"
    assert limit["defaultRequest"] == {"cpu": "500m", "memory": "1Gi"}
    assert limit["default"] == {"memory": "1Gi"}, "a default CPU limit would throttle executors"


def test_the_service_account_carries_the_teams_role_on_this_cluster(dev: Any) -> None:
    account = dev.one("ServiceAccount", "spark", "spark-ads")

    assert account["metadata"]["annotations"] == {
        "eks.amazonaws.com/role-arn": "arn:aws:iam::111111111111:role/moka-dev-batch-team-ads"
    }
    assert account["automountServiceAccountToken"] is True


def test_with_pod_identity_the_service_account_names_no_role_and_the_agent_is_reachable(
    dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    rendered = render(dev_with(identity={"mechanism": "irsa", "overrides": {"team-ads": "pod_identity"}}))

    assert "annotations" not in rendered.one("ServiceAccount", "spark", "spark-ads")["metadata"]
    assert "annotations" in rendered.one("ServiceAccount", "spark", "spark-shared")["metadata"]
    agent = [{"ipBlock": {"cidr": "169.254.170.23/32"}}]
    reached = {
        namespace: any(
            rule["to"] == agent for rule in rendered.one("NetworkPolicy", "allow-aws", namespace)["spec"]["egress"]
        )
        for namespace in ("spark-ads", "spark-shared")
    }
    assert reached == {"spark-ads": True, "spark-shared": False}


def test_a_role_path_is_part_of_the_annotation(
    dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    rendered = render(dev_with(permissions={"role_path": "/data/platform/"}))

    annotations = rendered.one("ServiceAccount", "spark", "spark-ads")["metadata"]["annotations"]
    assert (
        annotations["eks.amazonaws.com/role-arn"]
        == "arn:aws:iam::111111111111:role/data/platform/moka-dev-batch-team-ads"
    )


def test_a_team_has_a_namespace_only_on_its_own_clusters(dev_with: Callable[..., Environment]) -> None:
    from environments import load
    from k8s_manifests import build_charts

    dev = load("dev").model_dump(mode="json")
    second = {**dev["clusters"][0], "name": "second"}
    teams = [{**dev["teams"][0], "clusters": ["second"]}, dev["teams"][1]]
    environment = dev_with(clusters=[dev["clusters"][0], second], teams=teams)

    namespaces = {
        cluster.name: {
            manifest["metadata"]["name"]
            for component in build_charts(environment, cluster)
            for manifest in component.manifests
            if manifest["kind"] == "Namespace" and manifest["metadata"]["name"].startswith("spark-")
        }
        for cluster in environment.clusters
    }

    assert namespaces == {"batch": {"spark-shared"}, "second": {"spark-ads", "spark-shared"}}


def test_nothing_of_a_job_can_be_reached_from_outside_the_cluster(dev: Any) -> None:
    hard = dev.one("ResourceQuota", "team", "spark-ads")["spec"]["hard"]

    assert hard["services.loadbalancers"] == hard["services.nodeports"] == "0"
