import re
from collections.abc import Callable
from typing import Any

import pytest

from archer.cluster_config import parse_cluster_config
from environments import Environment, load
from environments.names import DATABASE_USER, SERVICE_ACCOUNTS
from k8s_manifests.own_images import ARCHER

NAMESPACE = "moka-system"
ROLES = ("api", "dispatcher", "tracker", "janitor")


@pytest.fixture(scope="module")
def hosts(every_cluster: list[Any]) -> list[Any]:
    """The clusters that host Archer."""
    return [each for each in every_cluster if each.environment.archer.cluster == each.cluster]


def deployment(rendered: Any, role: str) -> dict[str, Any]:
    found: dict[str, Any] = rendered.one("Deployment", f"archer-{role}", NAMESPACE)["spec"]
    return found


def container(rendered: Any, role: str) -> dict[str, Any]:
    (found,) = deployment(rendered, role)["template"]["spec"]["containers"]
    read: dict[str, Any] = found
    return read


def job(rendered: Any) -> dict[str, Any]:
    (found,) = (each for each in rendered.of_kind("Job") if each["metadata"]["name"].startswith("archer-migrate-"))
    read: dict[str, Any] = found
    return read


def variables(found: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in found["env"]}


def test_it_is_on_its_host_and_delivered_after_everything_else(every_cluster: list[Any]) -> None:
    from k8s_manifests import build_charts

    for rendered in every_cluster:
        environment = rendered.environment
        components = build_charts(environment, environment.cluster(rendered.cluster))
        late = [component.name for component in components if component.set_name == "archer"]
        assert late == (["archer"] if environment.archer.cluster == rendered.cluster else [])
        assert components[-1].name == "archer" or not late


def test_each_role_is_a_deployment_of_the_files_size_that_runs_that_role_alone(hosts: list[Any]) -> None:
    for rendered in hosts:
        wanted = rendered.environment.archer.replicas
        for role in ROLES:
            assert deployment(rendered, role)["replicas"] == getattr(wanted, role)
            assert container(rendered, role)["args"] == ["serve", "--roles", role]
            assert container(rendered, role)["image"].endswith(f"/archer:{ARCHER.tag}")
            assert deployment(rendered, role)["template"]["spec"]["securityContext"]["runAsUser"] == ARCHER.user


def test_pods_stop_only_after_the_load_balancer_and_open_requests_are_done(dev: Any) -> None:
    for role in ROLES:
        found, spec = container(dev, role), deployment(dev, role)["template"]["spec"]
        drain = found.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        shutdown = int(variables(found)["ARCHER_SHUTDOWN_SECONDS"])
        assert (drain > 0) == (role == "api")
        assert drain + shutdown < spec["terminationGracePeriodSeconds"]


def test_health_is_asked_for_where_archer_answers(dev: Any) -> None:
    from archer.api.routes import health

    known = {getattr(route, "path", "") for route in health.routes}
    for role in ROLES:
        found = container(dev, role)
        asked = {found[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert asked == {"/healthz", "/readyz"} <= known
        assert found["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert found["readinessProbe"]["httpGet"]["port"] == int(variables(found)["ARCHER_PORT"]) == 8080


def test_archer_can_read_the_configuration_that_it_is_given(hosts: list[Any]) -> None:
    for rendered in hosts:
        text = rendered.one("ConfigMap", "archer-config", NAMESPACE)["data"]["archer.yaml"]
        config = parse_cluster_config(text)
        assert {cluster.name for cluster in config.clusters} == {each.name for each in rendered.environment.clusters}
        (mount,) = (m for m in container(rendered, "api")["volumeMounts"] if m["name"] == "config")
        assert variables(container(rendered, "api"))["ARCHER_CONFIG"] == f"{mount['mountPath']}/archer.yaml"


def test_another_configuration_rolls_every_role_out_again(
    dev: Any, dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    teams = load("dev").model_dump(mode="json")["teams"]
    changed = render(dev_with(teams=[{**teams[0], "submitters": ["somebody-else"]}, *teams[1:]]))

    for role in ROLES:
        marks = {
            deployment(each, role)["template"]["metadata"]["annotations"]["moka.dev/configuration"]
            for each in (dev, changed)
        }
        assert len(marks) == 2


def test_the_database_is_found_by_what_the_stack_wrote_and_entered_without_a_password(hosts: list[Any]) -> None:
    def key(name: str) -> dict[str, Any]:
        return {"configMapKeyRef": {"name": "moka-platform", "key": name}}

    for rendered in hosts:
        (migrate,) = job(rendered)["spec"]["template"]["spec"]["containers"]
        for found in [*(container(rendered, role) for role in ROLES), migrate]:
            given = variables(found)
            assert (given["PGHOST"], given["PGPORT"]) == (key("database_endpoint"), key("database_port"))
            assert (given["PGUSER"], given["PGSSLMODE"]) == (DATABASE_USER, "verify-full")
            assert given["AWS_REGION"] == rendered.environment.region
            assert not {"PGPASSWORD", "DATABASE_URL"} & set(given)
        assert variables(migrate)["ARCHER_DATABASE_MASTER_SECRET"] == key("database_master_secret")
        for role in ROLES:
            assert "ARCHER_DATABASE_MASTER_SECRET" not in variables(container(rendered, role))


def test_the_keys_of_moka_platform_are_those_that_the_archer_stack_writes(dev: Any) -> None:
    from pathlib import Path

    written = set(re.findall(r'^ +"(database_\w+)": database\.', Path("infra/archer.py").read_text(), re.MULTILINE))
    (migrate,) = job(dev)["spec"]["template"]["spec"]["containers"]
    read = {v["configMapKeyRef"]["key"] for v in variables(migrate).values() if isinstance(v, dict)}
    assert read == written


def test_every_variable_is_a_setting_of_archer(dev: Any) -> None:
    from archer.settings import ServeSettings

    (migrate,) = job(dev)["spec"]["template"]["spec"]["containers"]
    given = {
        name
        for found in [*(container(dev, role) for role in ROLES), migrate]
        for name in variables(found)
        if name.startswith("ARCHER_")
    }
    known = {f"ARCHER_{name.upper()}" for name in ServeSettings.model_fields}
    assert given <= known


def test_the_authorities_that_the_database_is_verified_by_are_in_archers_image(dev: Any) -> None:
    from pathlib import Path

    file = Path(variables(container(dev, "api"))["PGSSLROOTCERT"])
    steps = Path("images/archer/Dockerfile").read_text()
    assert f"global-bundle.pem /authorities/{file.name}" in steps
    assert f"COPY --from=authorities /authorities/ {file.parent}/" in steps


def as_in_the_pod(found: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """This process gets the container's variables; what only a deploy knows is made up."""
    deployed = {
        "database_endpoint": "archer.cluster-x.us-east-1.rds.amazonaws.com",
        "database_port": "5432",
        "database_master_secret": "arn:aws:secretsmanager:us-east-1:111111111111:secret:rds!cluster-x",
    }
    for name, value in variables(found).items():
        if isinstance(value, str):
            monkeypatch.setenv(name, value)
        elif "configMapKeyRef" in value:
            monkeypatch.setenv(name, deployed[value["configMapKeyRef"]["key"]])


@pytest.mark.parametrize("role", ROLES)
def test_archer_takes_what_each_role_is_told(hosts: list[Any], role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from archer.api.door import check_reach
    from archer.composition import find_clusters
    from archer.settings import load_settings

    for rendered in hosts:
        environment = rendered.environment
        as_in_the_pod(container(rendered, role), monkeypatch)

        settings = load_settings(roles=container(rendered, role)["args"][-1])

        check_reach(settings)
        assert (settings.backend, settings.host, settings.port) == ("kubernetes", "0.0.0.0", 8080)
        assert (settings.strict_port, settings.history, settings.roles) == (True, False, (role,))
        assert settings.history_url == f"https://history.{environment.archer.endpoint.hostname}"
        assert settings.database.iam is not None
        assert (settings.database.iam.region, settings.database.iam.user) == (environment.region, DATABASE_USER)
        config = parse_cluster_config(rendered.one("ConfigMap", "archer-config", NAMESPACE)["data"]["archer.yaml"])
        reached = find_clusters(settings, config)
        assert {reach.view.name for reach in reached} == {cluster.name for cluster in environment.clusters}
        assert all(callable(reach.access) for reach in reached), "each is asked of EKS"


def test_archer_takes_what_the_migration_is_told_without_a_configuration(
    dev: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archer.settings import load_settings

    (migrate,) = job(dev)["spec"]["template"]["spec"]["containers"]
    as_in_the_pod(migrate, monkeypatch)

    settings = load_settings()

    assert settings.config is None
    assert settings.database.is_postgresql
    assert settings.database.iam is not None
    assert settings.database.secret_arn is not None


def test_every_role_asks_who_calls_by_tokens_unless_the_environment_says_otherwise(dev: Any) -> None:
    assert {variables(container(dev, role))["ARCHER_AUTHENTICATION"] for role in ROLES} == {"token"}


def test_a_proxy_of_the_environment_reaches_archers_own_settings() -> None:
    from archer.api.door import check_reach
    from archer.settings import load_settings
    from environments.service import Authentication
    from k8s_manifests.archer_process import authentication_environment

    given = Authentication.model_validate(
        {
            "modes": ["token", "proxy"],
            "trusted_proxies": ["10.2.0.0/24"],
            "group_roles": [{"group": "night watch", "role": "operator"}, {"group": "etl", "role": "submitter:root.a"}],
        }
    )
    found = {name.removeprefix("ARCHER_").lower(): text for name, text in authentication_environment(given).items()}
    settings = load_settings(**found, host="0.0.0.0")

    check_reach(settings)
    assert settings.authentication == ("token", "proxy")
    assert settings.trusted_proxies == ("10.2.0.0/24",)
    assert settings.group_roles == ("night watch=operator", "etl=submitter:root.a")


def test_the_command_line_has_the_commands_that_pods_run(dev: Any) -> None:
    from typer.main import get_command

    from archer.cli.application import application

    commands: dict[str, Any] = get_command(application()).commands  # type: ignore[attr-defined]  # a group has them
    assert "--roles" in {option for parameter in commands["serve"].params for option in parameter.opts}
    (migrate,) = job(dev)["spec"]["template"]["spec"]["containers"]
    assert migrate["args"] == ["migrate"]
    assert "migrate" in commands


def test_another_image_is_another_migration_and_the_same_one_is_none(
    dev: Any,
    dev_with: Callable[..., Environment],
    render: Callable[[Environment], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert re.fullmatch(r"archer-migrate-[0-9a-f]{8}", job(dev)["metadata"]["name"])
    assert job(render(dev_with()))["metadata"]["name"] == job(dev)["metadata"]["name"]

    monkeypatch.setitem(ARCHER.__dict__, "inputs", "f" * 64)
    changed = job(render(dev_with()))
    assert changed["spec"]["template"]["spec"]["containers"][0]["image"].endswith("-ffffffffffff")
    assert changed["metadata"]["name"] != job(dev)["metadata"]["name"]


def test_pods_are_the_accounts_that_roles_trust_and_have_no_token_for_the_api_server(hosts: list[Any]) -> None:
    for rendered in hosts:
        specs = {role: deployment(rendered, role)["template"]["spec"] for role in ROLES}
        specs["migrate"] = job(rendered)["spec"]["template"]["spec"]
        for name, spec in specs.items():
            workload = "archer-migrate" if name == "migrate" else "archer"
            assert (NAMESPACE, spec["serviceAccountName"]) == SERVICE_ACCOUNTS[workload]
            assert spec["automountServiceAccountToken"] is False
            account = rendered.one("ServiceAccount", spec["serviceAccountName"], NAMESPACE)["metadata"]
            overridden = rendered.environment.identity.overrides.get(workload) == "pod_identity"
            assert ("annotations" in account) != overridden


def test_target_groups_are_bound_by_the_names_that_cdk_gives_them_to_ports_that_are_served(hosts: list[Any]) -> None:
    for rendered in hosts:
        found = {}
        for binding in rendered.of_kind("TargetGroupBinding"):
            spec = binding["spec"]
            service = rendered.one("Service", spec["serviceRef"]["name"], NAMESPACE)["spec"]
            (port,) = (each for each in service["ports"] if each["name"] == spec["serviceRef"]["port"])
            (pod,) = (
                each["spec"]["template"]
                for each in rendered.of_kind("Deployment")
                if service["selector"].items() <= each["spec"]["template"]["metadata"]["labels"].items()
            )
            opened = {p["name"]: p["containerPort"] for p in pod["spec"]["containers"][0]["ports"]}
            assert spec["targetType"] == "ip"
            # without `networking` the controller changes no security group
            assert set(spec) == {"serviceRef", "targetGroupName", "targetType"}
            found[spec["targetGroupName"]] = opened[port["targetPort"]]
        prefix = f"moka-{rendered.environment.name}-archer"
        assert found == {f"{prefix}-api": 8080, f"{prefix}-livy": 8998, f"{prefix}-history": 18080}


def test_pods_join_the_files_security_groups_and_only_archers_do(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        groups = rendered.environment.archer.pod_security_group_ids
        policies = rendered.of_kind("SecurityGroupPolicy")
        if not groups or rendered.environment.archer.cluster != rendered.cluster:
            assert policies == []
            continue
        (policy,) = policies
        assert policy["spec"]["securityGroups"] == {"groupIds": list(groups)}
        selector = policy["spec"]["podSelector"]["matchLabels"]
        chosen = {
            each["metadata"]["name"]
            for each in [*rendered.of_kind("Deployment"), *rendered.of_kind("Job")]
            if selector.items() <= each["spec"]["template"]["metadata"]["labels"].items()
        }
        assert chosen == {*(f"archer-{role}" for role in ROLES), job(rendered)["metadata"]["name"]}


def test_every_roles_metrics_are_scraped_at_its_own_service(dev: Any) -> None:
    for role in ROLES:
        service = dev.one("Service", f"archer-{role}", NAMESPACE)
        assert service["metadata"]["labels"]["moka.dev/metrics"] == "true"
        (port,) = (each for each in service["spec"]["ports"] if each["name"] == "metrics")
        assert (port["port"], port["targetPort"]) == (8080, "http")
