"""Where resources are: partition, account and region as text, so that ARNs are plain strings.

`Stack.of(self).partition` says the same and costs a call into the CDK's process each time, which a synth notices.
"""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Location:
    """A partition, an account and a region."""

    partition: str
    """aws, aws-cn or aws-us-gov."""
    account: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def bucket_arn(self, name: str) -> str:
        """Return the ARN of a bucket; bucket ARNs name neither account nor region."""
        return f"arn:{self.partition}:s3:::{name}"

    def iam_arn(self, resource: str) -> str:
        """Return the ARN of something of IAM in this account, for instance role/Admin or root."""
        return f"arn:{self.partition}:iam::{self.account}:{resource}"

    def aws_policy_arn(self, name: str) -> str:
        """Return the ARN of an AWS managed policy, for instance service-role/AmazonEBSCSIDriverPolicy."""
        return f"arn:{self.partition}:iam::aws:policy/{name}"
