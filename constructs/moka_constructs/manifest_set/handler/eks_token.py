"""A token for an EKS cluster: a presigned call of STS, which the cluster makes to learn whose credentials signed it.

Nothing is sent to AWS here. The format is that of https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster.
"""

import base64
import threading
import time
from collections.abc import Callable
from typing import Any, Final

PREFIX: Final = "k8s-aws-v1."
KEPT_SECONDS: Final = 600
"""The cluster takes a token for 15 minutes after it was signed."""


def eks_token(session: Any, region: str, cluster: str) -> str:
    """Return a token for `cluster`, signed with the credentials of a boto3 session."""
    from botocore.model import ServiceId  # type: ignore[import-untyped]  # noqa: PLC0415  # only where AWS is called
    from botocore.signers import RequestSigner  # type: ignore[import-untyped]  # noqa: PLC0415

    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    signer = RequestSigner(ServiceId("STS"), region, "sts", "v4", session.get_credentials(), session.events)
    url: str = signer.generate_presigned_url(
        {
            "method": "GET",
            "url": f"https://sts.{region}.{domain}/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": cluster},
            "context": {},
        },
        region_name=region,
        expires_in=60,
        operation_name="",
    )
    return PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def eks_token_source(session: Any, region: str, cluster: str) -> Callable[[bool], str]:
    """Return a function that gives a token, a new one when the last is old or was refused."""
    lock = threading.Lock()
    kept: list[tuple[float, str]] = []

    def give(refused: bool) -> str:
        with lock:
            # threads whose token was refused together need one new token
            if not kept or time.monotonic() - kept[0][0] > (5 if refused else KEPT_SECONDS):
                kept[:] = [(time.monotonic(), eks_token(session, region, cluster))]
            return kept[0][1]

    return give
