from typing import Any


def test_the_default_class_is_gp3_encrypted_and_made_where_its_pod_is(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        (found,) = rendered.of_kind("StorageClass")
        assert found["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
        assert found["provisioner"] == "ebs.csi.aws.com"
        assert (found["parameters"]["type"], found["parameters"]["encrypted"]) == ("gp3", "true")
        assert found["volumeBindingMode"] == "WaitForFirstConsumer"


def test_volumes_carry_the_environments_tags(dev: Any) -> None:
    (found,) = dev.of_kind("StorageClass")

    tags = {value for key, value in found["parameters"].items() if key.startswith("tagSpecification_")}
    assert tags == {f"{key}={value}" for key, value in dev.environment.tags.items()}
    assert tags


def test_every_parameter_is_text_as_the_api_server_wants_it(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        (found,) = rendered.of_kind("StorageClass")
        assert all(isinstance(value, str) for value in found["parameters"].values())
