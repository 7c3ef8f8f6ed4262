"""Tokens of EKS, and where an EKS cluster is.

A token is a presigned call of STS, which the cluster makes to learn whose credentials signed it; nothing is sent to AWS to make one. The
format: https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster.
"""

import base64
from dataclasses import dataclass
from typing import Any, Final

from archer.kubernetes.credentials import RenewedToken
from archer.kubernetes.errors import ClusterUnreachableError

PREFIX: Final = "k8s-aws-v1."
SIGNED_SECONDS: Final = 60
"""What AWS' own tools sign for; the cluster takes a token for 15 minutes after it was signed, whatever is written here."""
KEPT_SECONDS: Final = 600.0


@dataclass(frozen=True, kw_only=True)
class EksCluster:
    """What EKS says of a cluster."""

    endpoint: str
    ca: str
    """PEM."""


def describe(eks_name: str, region: str, session: Any) -> EksCluster:
    """Ask EKS where the cluster is (`eks:DescribeCluster`). Raises ClusterUnreachableError."""
    from botocore.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415  # only where AWS is called
        BotoCoreError,
        ClientError,
    )

    try:
        cluster = session.client("eks", region_name=region).describe_cluster(name=eks_name)["cluster"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        fix = {
            "ResourceNotFoundException": "correct the name or the region",
            "AccessDeniedException": "allow eks:DescribeCluster",
        }.get(code, "see its code")
        raise ClusterUnreachableError(f"EKS in {region} says of cluster {eks_name}: {error}; {fix}") from error
    except BotoCoreError as error:
        why = f"can't ask EKS in {region} about cluster {eks_name}: {error}; check credentials, region and network"
        raise ClusterUnreachableError(why) from error
    endpoint, ca = cluster.get("endpoint"), (cluster.get("certificateAuthority") or {}).get("data")
    if not endpoint or not ca:
        state = cluster.get("status", "unknown")
        raise ClusterUnreachableError(
            f"EKS cluster {eks_name} has no endpoint, its status is {state}; wait until it is ACTIVE"
        )
    return EksCluster(endpoint=endpoint, ca=base64.b64decode(ca).decode())


def eks_token(eks_name: str, region: str, session: Any) -> RenewedToken:
    """Return tokens for the cluster, signed with the credentials of a boto3 session, renewed every ten minutes."""
    return RenewedToken(lambda: (_signed(eks_name, region, session), KEPT_SECONDS))


def _signed(eks_name: str, region: str, session: Any) -> str:
    from botocore.exceptions import (  # noqa: PLC0415  # only where AWS is called
        BotoCoreError,
        ClientError,
    )
    from botocore.model import ServiceId  # type: ignore[import-untyped]  # noqa: PLC0415
    from botocore.signers import RequestSigner  # type: ignore[import-untyped]  # noqa: PLC0415

    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    try:
        signer = RequestSigner(ServiceId("STS"), region, "sts", "v4", session.get_credentials(), session.events)
        url: str = signer.generate_presigned_url(
            {
                "method": "GET",
                "url": f"https://sts.{region}.{domain}/?Action=GetCallerIdentity&Version=2011-06-15",
                "body": {},
                "headers": {"x-k8s-aws-id": eks_name},
                "context": {},
            },
            region_name=region,
            expires_in=SIGNED_SECONDS,
            operation_name="",
        )
    except (BotoCoreError, ClientError) as error:  # the latter when a role's credentials can't be renewed
        why = f"no AWS credentials to sign a token for EKS cluster {eks_name}: {error}; give Archer's pod its role"
        raise ClusterUnreachableError(why) from error
    return PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
