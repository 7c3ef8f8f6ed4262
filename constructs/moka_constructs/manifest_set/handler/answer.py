"""The answer to CloudFormation: a PUT to the address that came with the request. Without one a deploy hangs."""

import json
import logging
import time
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

from .errors import shortened

LOG = logging.getLogger("moka.manifest_set")

ATTEMPTS: Final = 4
TIMEOUT_SECONDS: Final = 10
MOST_BYTES: Final = 4096
"""CloudFormation reads no longer answer."""


def send(event: Mapping[str, Any], identity: str, status: str, reason: str, data: Mapping[str, str]) -> None:
    """Put the result where CloudFormation waits for it; the reason is cut to what it reads."""
    copied = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    body = {**copied, "PhysicalResourceId": identity, "Status": status, "Reason": "", "Data": dict(data)}
    room = MOST_BYTES - len(json.dumps(body).encode())
    content = json.dumps({**body, "Reason": shortened(reason, room)}).encode()
    for attempt in range(1, ATTEMPTS + 1):
        # the address is signed for an empty content type
        request = urllib.request.Request(  # noqa: S310  # CloudFormation's own address
            event["ResponseURL"],
            data=content,
            method="PUT",
            headers={"Content-Type": "", "Content-Length": str(len(content))},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310  # as above
                return
        except OSError as error:
            LOG.warning("answer %d of %d failed: %r", attempt, ATTEMPTS, error)
            if attempt == ATTEMPTS:
                raise
            time.sleep(attempt)
