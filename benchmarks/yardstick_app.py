"""The yardstick of the synth benchmark: a bare CDK script with one VPC, one EKS cluster and six node groups.

Nothing of this project is in it. What it costs is the price of the CDK itself on this machine.
"""

import sys

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks


def main() -> None:
    """Write the script's cloud assembly to the folder named on the command line."""
    app = cdk.App(outdir=sys.argv[1])
    stack = cdk.Stack(app, "Yardstick", env=cdk.Environment(account="111111111111", region="us-east-1"))
    vpc = ec2.Vpc(stack, "Vpc", availability_zones=["us-east-1a", "us-east-1b", "us-east-1c"])
    cluster = eks.Cluster(
        stack,
        "Cluster",
        vpc=vpc,
        version=eks.KubernetesVersion.V1_35,
        endpoint_access=eks.EndpointAccess.PRIVATE,
        default_capacity_type=eks.DefaultCapacityType.NODEGROUP,
        default_capacity=0,
    )
    for number in range(6):
        cluster.add_nodegroup_capacity(
            f"Group{number}", instance_types=[ec2.InstanceType("m8g.2xlarge")], min_size=0, max_size=10
        )
    app.synth()


if __name__ == "__main__":
    main()
