from collections.abc import Callable
from typing import Any

from moka_constructs import NodeSettings
from moka_constructs.node_launch_template import NodeLaunchTemplate, NodeLaunchTemplateProps

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]

PROPS = NodeLaunchTemplateProps(
    name="moka-test-c-driver",
    settings=NodeSettings(operating_system="al2023", max_pods=64, vcpus=8, nvme_raid0=False),
    disk_gib=120,
    volumes_key_arn="arn:aws:kms:us-east-1:111111111111:key/1",
    security_group_ids=("sg-1", "sg-2"),
    tags={"platform": "moka", "Name": "overruled"},
)


def data(template: Template) -> dict[str, Any]:
    (resource,) = template(lambda stack: NodeLaunchTemplate(stack, "Template", PROPS)).values()
    found: dict[str, Any] = resource["Properties"]["LaunchTemplateData"]
    return found


def test_it_names_no_image_no_type_no_key_pair_and_no_profile(template: Template) -> None:
    assert not {"ImageId", "InstanceType", "KeyName", "IamInstanceProfile"} & set(data(template))


def test_pods_cannot_reach_the_instances_credentials(template: Template) -> None:
    options = data(template)["MetadataOptions"]

    assert options["HttpTokens"] == "required"
    assert options["HttpPutResponseHopLimit"] == 1


def test_all_groups_are_named_because_eks_adds_none_then(template: Template) -> None:
    (interface,) = data(template)["NetworkInterfaces"]

    assert interface["Groups"] == ["sg-1", "sg-2"]
    assert interface["DeviceIndex"] == 0


def test_everything_that_starts_is_called_after_the_pool(template: Template) -> None:
    for specification in data(template)["TagSpecifications"]:
        tags = {tag["Key"]: tag["Value"] for tag in specification["Tags"]}

        assert tags == {"platform": "moka", "Name": "moka-test-c-driver"}


def test_the_volume_is_encrypted_with_the_key_of_the_cluster(template: Template) -> None:
    (volume,) = data(template)["BlockDeviceMappings"]

    assert volume["Ebs"] == {
        "DeleteOnTermination": True,
        "Encrypted": True,
        "KmsKeyId": PROPS.volumes_key_arn,
        "VolumeSize": 120,
        "VolumeType": "gp3",
    }
