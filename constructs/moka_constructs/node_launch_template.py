"""The launch template of a node pool: encrypted gp3, IMDSv2 that pods cannot reach, no public address, tags on all it makes.

It names no image and no instance type: EKS picks the image by the group's AMI type and release, so that node upgrades
stay one property of the group.
"""

import dataclasses
import json
from collections.abc import Mapping

from aws_cdk import CfnTag, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from moka_constructs.user_data import NodeSettings, user_data


@dataclasses.dataclass(frozen=True, kw_only=True)
class NodeLaunchTemplateProps:
    """How instances of the pool start."""

    name: str
    """Name tag of the instances."""
    settings: NodeSettings
    disk_gib: int
    """Volume that carries images, logs and emptyDirs (unless NVMe does), GiB."""
    volumes_key_arn: str
    """KMS key of the volumes; it must admit EC2 Auto Scaling's service-linked role."""
    security_group_ids: tuple[str, ...]
    """At most five, the cluster's own among them: EKS adds none when a template names any."""
    tags: Mapping[str, str]
    """Tags on instances, volumes and network interfaces: CDK's tags stop at the template."""


class NodeLaunchTemplate(Construct):
    """A launch template; `version` is the version that this deploy made."""

    def __init__(self, scope: Construct, construct_id: str, props: NodeLaunchTemplateProps) -> None:
        super().__init__(scope, construct_id)
        tags = [CfnTag(key=key, value=value) for key, value in {**props.tags, "Name": props.name}.items()]
        self._data = ec2.CfnLaunchTemplate.LaunchTemplateDataProperty(
            block_device_mappings=_volumes(props),
            ebs_optimized=True,
            metadata_options=ec2.CfnLaunchTemplate.MetadataOptionsProperty(
                http_endpoint="enabled",
                http_tokens="required",
                # one hop ends at the node: a pod that asks for the node's credentials gets no answer
                http_put_response_hop_limit=1,
            ),
            monitoring=ec2.CfnLaunchTemplate.MonitoringProperty(enabled=False),
            network_interfaces=[
                ec2.CfnLaunchTemplate.NetworkInterfaceProperty(
                    device_index=0,
                    associate_public_ip_address=False,
                    delete_on_termination=True,
                    groups=list(props.security_group_ids),
                )
            ],
            tag_specifications=[
                ec2.CfnLaunchTemplate.TagSpecificationProperty(resource_type=kind, tags=tags)
                for kind in ("instance", "volume", "network-interface")
            ],
            user_data=Fn.base64(user_data(props.settings)),
        )
        template = ec2.CfnLaunchTemplate(self, "Resource", launch_template_data=self._data)
        self.id: str = template.ref
        self.version: str = template.attr_latest_version_number

    def fingerprint(self) -> str:
        """Return everything that nodes start with, as text: where it differs, EKS would roll them."""
        return json.dumps(Stack.of(self).resolve(self._data), sort_keys=True)


def _volumes(props: NodeLaunchTemplateProps) -> list[ec2.CfnLaunchTemplate.BlockDeviceMappingProperty]:
    """Return the volumes. Bottlerocket boots from a small first volume and keeps its data on the second."""
    sizes = {"/dev/xvda": props.disk_gib}
    if props.settings.operating_system == "bottlerocket":
        sizes = {"/dev/xvda": 4, "/dev/xvdb": props.disk_gib}
    return [
        ec2.CfnLaunchTemplate.BlockDeviceMappingProperty(
            device_name=device,
            ebs=ec2.CfnLaunchTemplate.EbsProperty(
                volume_type="gp3",
                volume_size=size,
                encrypted=True,
                kms_key_id=props.volumes_key_arn,
                delete_on_termination=True,
            ),
        )
        for device, size in sizes.items()
    ]
