"""Storage classes: gp3, encrypted, made in the zone of the pod that waits for it. EKS makes none that is the default.

Jobs need none: Spark's local directories are emptyDirs. For what must outlive a pod, as the disks of Celeborn's masters.
https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/parameters.md
"""

from typing import Final

from constructs import Construct

from k8s_manifests import labels
from k8s_manifests.base import MokaChart
from k8s_manifests.kinds import Kind

GP3: Final = "moka-gp3"
"""The cluster's default class. A class cannot be changed: other parameters need another name."""


class StorageClassesChart(MokaChart):
    """The one class."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: str, tags: dict[str, str]) -> None:
        """Make the chart; `tags` go on every volume, so that bills know whose it is."""
        super().__init__(
            scope, construct_id, labels=labels.common(name="moka-storage-classes", environment=environment)
        )
        # without a key id EBS takes the account's default key
        parameters = {"type": "gp3", "csi.storage.k8s.io/fstype": "xfs", "encrypted": "true"}
        parameters |= {f"tagSpecification_{number}": f"{key}={tags[key]}" for number, key in enumerate(sorted(tags), 1)}
        self.add(
            Kind.STORAGE_CLASS,
            GP3,
            {
                "provisioner": "ebs.csi.aws.com",
                "parameters": parameters,
                "reclaimPolicy": "Delete",
                "allowVolumeExpansion": True,
                # in the zone that the scheduler has chosen for the pod
                "volumeBindingMode": "WaitForFirstConsumer",
            },
            annotations={"storageclass.kubernetes.io/is-default-class": "true"},
        )
