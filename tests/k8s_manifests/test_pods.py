from typing import Any

import pytest

from k8s_manifests.errors import ChartError
from k8s_manifests.placement import Placement
from k8s_manifests.pods import (
    ConfigKey,
    ConfigVolume,
    Container,
    HttpProbe,
    NodeVolume,
    Pod,
    Resources,
    ScratchVolume,
    SecretVolume,
    Step,
)

PROBE = HttpProbe(path="/healthz", port=8081)
RESOURCES = Resources(cpu_millis=250, cpu_limit_millis=2000, memory_mib=512)


def _container(**changes: Any) -> Container:
    given: dict[str, Any] = {
        "name": "main",
        "image": "registry.example.com/thing:1.2.3",
        "resources": RESOURCES,
        "liveness": PROBE,
        "readiness": PROBE,
    }
    return Container(**{**given, **changes})


def _pod(container: Container) -> dict[str, Any]:
    pod = Pod(
        container=container,
        service_account="thing",
        user_id=185,
        placement=Placement(node_selector={"moka.dev/role": "system"}),
        priority_class="moka-platform",
    )
    return pod.manifest({"app": "thing"})


def test_memory_is_requested_in_full_and_cpu_may_burst() -> None:
    assert _container().manifest()["resources"] == {
        "requests": {"cpu": "250m", "memory": "512Mi"},
        "limits": {"cpu": "2000m", "memory": "512Mi"},
    }


def test_a_container_with_the_least_said_is_restricted_probed_and_writes_nowhere() -> None:
    found = _container().manifest()

    assert found["securityContext"]["readOnlyRootFilesystem"] is True
    assert found["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert found["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": 8081, "scheme": "HTTP"}
    assert found["volumeMounts"] == []
    assert "startupProbe" not in found


def test_a_slow_starter_gets_a_startup_probe() -> None:
    startup = HttpProbe(path="/started", port=8443, scheme="HTTPS", period_seconds=5, failure_threshold=60)

    assert _container(startup=startup).manifest()["startupProbe"] == {
        "httpGet": {"path": "/started", "port": 8443, "scheme": "HTTPS"},
        "periodSeconds": 5,
        "timeoutSeconds": 3,
        "failureThreshold": 60,
    }


def test_a_scratch_volume_is_both_a_bounded_empty_dir_and_its_mount() -> None:
    scratch = (
        ScratchVolume(name="tmp", path="/tmp", size_mib=64),
        ScratchVolume(name="certs", path="/certs", size_mib=1, sub_path="x"),
    )

    found = _pod(_container(scratch=scratch))

    assert found["volumes"] == [
        {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
        {"name": "certs", "emptyDir": {"sizeLimit": "1Mi"}},
    ]
    assert found["containers"][0]["volumeMounts"] == [
        {"name": "tmp", "mountPath": "/tmp"},
        {"name": "certs", "mountPath": "/certs", "subPath": "x"},
    ]


def test_secrets_and_config_maps_are_read_only_files_for_the_pods_group() -> None:
    files = (
        SecretVolume(name="certificate", path="/certificate", secret="thing-certificate"),
        ConfigVolume(name="settings", path="/etc/thing", config_map="thing"),
    )

    found = _pod(_container(files=files))

    assert found["volumes"] == [
        {"name": "certificate", "secret": {"secretName": "thing-certificate", "defaultMode": 0o440}},
        {"name": "settings", "configMap": {"name": "thing"}},
    ]
    assert found["containers"][0]["volumeMounts"] == [
        {"name": "certificate", "mountPath": "/certificate", "readOnly": True},
        {"name": "settings", "mountPath": "/etc/thing", "readOnly": True},
    ]


def test_a_container_gets_a_command_and_variables_only_when_it_is_given_some() -> None:
    assert not {"command", "env"} & set(_container().manifest())

    found = _container(command=("/thing",), env={"GOGC": "100"}, pod_fields={"NAMESPACE": "metadata.namespace"})

    assert found.manifest()["command"] == ["/thing"]
    assert found.manifest()["env"] == [
        {"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        {"name": "GOGC", "value": "100"},
    ]


def test_a_step_before_the_container_is_as_restricted_and_shares_its_volumes() -> None:
    scratch = ScratchVolume(name="tmp", path="/tmp", size_mib=64)
    step = Step(name="first", image="registry.example.com/thing:1.2.3", resources=RESOURCES, volumes=(scratch,))
    pod = Pod(
        container=_container(scratch=(scratch,)),
        before=(step,),
        service_account="thing",
        user_id=185,
        placement=Placement(node_selector={}),
        priority_class="moka-platform",
    ).manifest({"app": "thing"})

    (first,) = pod["initContainers"]
    assert first["securityContext"] == pod["containers"][0]["securityContext"]
    assert not {"livenessProbe", "readinessProbe"} & set(first)
    assert pod["volumes"] == [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}]


def test_a_pod_runs_as_its_images_user_and_never_as_root() -> None:
    assert _pod(_container())["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 185,
        "runAsGroup": 185,
        "fsGroup": 185,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def test_a_pod_does_not_learn_of_every_service_of_its_namespace() -> None:
    assert _pod(_container())["enableServiceLinks"] is False


def test_each_rollouts_pods_are_spread_for_themselves() -> None:
    for constraint in _pod(_container())["topologySpreadConstraints"]:
        assert constraint["labelSelector"] == {"matchLabels": {"app": "thing"}}
        assert constraint["matchLabelKeys"] == ["pod-template-hash"]
        assert constraint["maxSkew"] == 1


def test_a_variable_may_hold_a_key_of_a_config_map_that_is_made_later() -> None:
    key = {"HOST": ConfigKey(config_map="values", key="endpoint")}
    step = Step(name="do", image="registry.example.com/thing:1.2.3", resources=RESOURCES, config=key)

    for found in (step.manifest(), _container(config=key).manifest()):
        (variable,) = found["env"]
        assert variable == {"name": "HOST", "valueFrom": {"configMapKeyRef": {"name": "values", "key": "endpoint"}}}
        assert "optional" not in variable["valueFrom"]["configMapKeyRef"], "the pod waits for it"


def test_a_container_that_drains_waits_before_the_signal_and_others_do_not() -> None:
    assert _container(drain_seconds=15).manifest()["lifecycle"] == {"preStop": {"sleep": {"seconds": 15}}}
    assert "lifecycle" not in _container().manifest()


def test_a_pod_without_rights_gets_no_token() -> None:
    pod = Pod(
        container=_container(),
        service_account="thing",
        api_token=False,
        user_id=185,
        placement=Placement(node_selector={"moka.dev/role": "system"}),
        priority_class="moka-platform",
    )

    assert pod.manifest({"app": "thing"})["automountServiceAccountToken"] is False
    assert _pod(_container())["automountServiceAccountToken"] is True


@pytest.mark.parametrize(
    "changes", [{"user_id": 0}, {"container": _container(node_folders=(NodeVolume(name="logs", path="/var/log"),))}]
)
def test_a_pod_that_is_not_restricted_is_refused_without_its_reason(changes: dict[str, Any]) -> None:
    given: dict[str, Any] = {
        "container": _container(),
        "service_account": "thing",
        "user_id": 185,
        "placement": Placement(node_selector={"moka.dev/role": "system"}),
        "priority_class": "moka-platform",
        **changes,
    }

    with pytest.raises(ChartError, match="runs as root or has folders of the node without a reason"):
        Pod(**given)
    assert Pod(**given, not_restricted="reads logs").annotations == {"moka.dev/not-restricted": "reads logs"}


def test_a_folder_of_the_node_is_read_only_unless_it_is_the_pods_own() -> None:
    read, own = NodeVolume(name="logs", path="/var/log"), NodeVolume(name="state", path="/var/lib/x", writable=True)

    assert read.volume() == {"name": "logs", "hostPath": {"path": "/var/log", "type": "Directory"}}
    assert read.mount() == {"name": "logs", "mountPath": "/var/log", "readOnly": True}
    assert own.volume() == {"name": "state", "hostPath": {"path": "/var/lib/x", "type": "DirectoryOrCreate"}}
    assert own.mount() == {"name": "state", "mountPath": "/var/lib/x"}
