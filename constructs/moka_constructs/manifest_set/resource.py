"""One set of manifests on a cluster, delivered when its stack is: a custom resource, decision D7's second kind."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from aws_cdk import CfnResource
from constructs import Construct, IDependable

from moka_constructs.errors import PropsError
from moka_constructs.manifest_set.assets import publish

RESOURCE_TYPE: Final = "Custom::MokaManifestSet"
SERVICE_TIMEOUT_SECONDS: Final = 840
"""How long CloudFormation waits for an answer, which comes after twelve minutes at the latest; its own default is an hour."""
LONGEST_NAME: Final = 40

Remove = Literal["keep_jobs", "everything", "nothing"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ManifestSetProps:
    """What is delivered, and by which function."""

    name: str
    """Name of the set on its cluster; members carry it as the label moka.dev/set."""
    cluster_name: str
    function_arn: str
    """Of the cluster's `ManifestFunction`."""
    bundle: Path | None
    """Zip file with the rendered manifests; None for a set of values only."""
    digest: str = ""
    """Of what is in the bundle."""
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What only a deploy knows, for the ConfigMap moka-platform: {key: text or token}."""
    remove: Remove = "keep_jobs"
    """What is deleted when it leaves the set, or the set goes: all but CRDs and namespaces that hold jobs, all, or nothing."""
    force_fields: tuple[str, ...] = ()
    """Fields that are taken over from whoever owns them."""
    after: Sequence[IDependable] = ()
    """What must be there before: the function's access, roles that service accounts name."""


class ManifestSet(Construct):
    """The set. It waits for what is in `after`, and so do those who depend on it."""

    def __init__(self, scope: Construct, construct_id: str, props: ManifestSetProps) -> None:
        super().__init__(scope, construct_id)
        if len(props.name) > LONGEST_NAME or not props.name.replace("-", "").isalnum():
            raise PropsError(
                "BadSetName",
                f"`name` must be at most {LONGEST_NAME} letters, digits and hyphens, got {props.name!r}; it becomes a label",
                self,
            )
        properties: dict[str, Any] = {
            "ServiceToken": props.function_arn,
            "ServiceTimeout": SERVICE_TIMEOUT_SECONDS,
            "ClusterName": props.cluster_name,
            "Set": props.name,
            "Remove": props.remove,
        }
        if props.bundle is not None:
            bundle = publish(self, "Bundle", props.bundle, props.digest)
            properties |= {"Bucket": bundle.s3_bucket_name, "Key": bundle.s3_object_key}
        if props.values:
            properties["Values"] = dict(props.values)
        if props.force_fields:
            properties["ForceFields"] = list(props.force_fields)
        self.resource = CfnResource(self, "Resource", type=RESOURCE_TYPE, properties=properties)
        if props.after:
            self.resource.node.add_dependency(*props.after)
