"""What AWS calls: CloudFormation with a request about the resource, or `moka apply --via-lambda` with a bundle.

Where the cluster is stands in the function's own environment, so the two cannot mean different ones. Properties of the resource:

    {"ClusterName": "moka-dev-batch", "Set": "platform", "Bucket": "…", "Key": "….zip",
     "Values": {"oidc_issuer": "…"}, "Remove": "keep_jobs" | "everything" | "nothing", "ForceFields": [".spec.replicas"]}

An invocation by hand: {"Action": "apply" | "diff", "ClusterName": …, "Set": …, "Bundle": base64, "Options": {…}}; it returns JSON.
"""

import base64
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

import boto3  # type: ignore[import-untyped]  # boto3 ships no types; what is used of it is in few lines

from . import bundle
from .client import Client, Server
from .cloudformation import RESERVE_SECONDS, respond
from .deadline import Deadline
from .eks_token import eks_token_source
from .order import ManifestFile
from .request import carry_out
from .run import ACCESS_SECONDS, Delivery, Options

LOG = logging.getLogger("moka.manifest_set")
LOG.setLevel(logging.INFO)


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any] | None:
    """Answer CloudFormation, or return the result of an invocation by hand."""
    left = context.get_remaining_time_in_millis() / 1000
    if "RequestType" in event:
        respond(event, left, deliver, read)
        return None
    return invoked(event, Deadline(left - RESERVE_SECONDS))


def invoked(event: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
    """Apply or compare a bundle that came with the event."""
    given = event.get("Options", {})
    options = Options(
        set_name=event["Set"],
        owner=event["ClusterName"],
        prune=bool(given.get("prune")),
        everything=bool(given.get("everything")),
        force_fields=tuple(given.get("force_fields", ())),
        wait=bool(given.get("wait", True)),
    )
    delivery = delivery_of(options, deadline, LOG.info)
    return carry_out(delivery, event["Action"], bundle.read(base64.b64decode(event["Bundle"])))


def deliver(properties: Mapping[str, Any], deadline: Deadline, say: Callable[[str], None]) -> Delivery:
    """Return the delivery that the properties of the resource ask for."""
    options = Options(
        set_name=properties["Set"],
        owner=properties["ClusterName"],
        prune=properties.get("Remove") != "nothing",
        everything=properties.get("Remove") == "everything",
        force_fields=tuple(properties.get("ForceFields") or ()),
        platform_values=dict(properties["Values"]) if properties.get("Values") else None,
        access_seconds=ACCESS_SECONDS,
    )
    return delivery_of(options, deadline, say)


def delivery_of(options: Options, deadline: Deadline, say: Callable[[str], None]) -> Delivery:
    """Return a delivery to the function's own cluster, with the function's own credentials."""
    session = boto3.session.Session()
    region, cluster = os.environ["AWS_REGION"], os.environ["CLUSTER_NAME"]
    server = Server(
        url=os.environ["CLUSTER_ENDPOINT"],
        ca=base64.b64decode(os.environ["CLUSTER_CA"]).decode(),
        token=eks_token_source(session, region, cluster),
    )
    return Delivery(
        client=Client(server=server, deadline=deadline),
        options=options,
        say=say,
        session=session,
        account=os.environ["ACCOUNT"],
    )


def read(properties: Mapping[str, Any]) -> tuple[ManifestFile, ...]:
    """Return the files of the bundle that the properties name; a set without one holds values only."""
    if not properties.get("Key"):
        return ()
    found = boto3.client("s3").get_object(Bucket=properties["Bucket"], Key=properties["Key"])
    return bundle.read(found["Body"].read())
