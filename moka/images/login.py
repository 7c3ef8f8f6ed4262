"""The way into an ECR registry: a token of twelve hours for the caller's own credentials.

Another kind of registry is entered with whatever the programs know already (`skopeo login`, `docker login`).
"""

import base64
from dataclasses import dataclass
from typing import Any

from environments import Environment
from environments.names import registry
from moka.errors import MokaError
from moka.preflight.aws import Aws, open_session
from moka.preflight.calls import Call, Scope
from moka.preflight.checks.images import ecr_registry
from moka.preflight.failures import CallFailedError

_TOKEN = Call("ecr", "GetAuthorizationToken", Scope(words="any", arns=lambda _: ("*",)))


@dataclass(frozen=True, kw_only=True)
class Login:
    """What a registry wants to hear."""

    host: str
    user: str
    password: str


def ecr_login(environment: Environment, profile: str | None) -> Login | None:
    """Return the way into the environment's registry, None when it is not ECR. Raises MokaError, BadInputError."""
    where = ecr_registry(environment)
    if where is None:
        return None
    session: Any = open_session(profile, where.region)
    try:
        answer = Aws(session, where.region).reader([_TOKEN]).get(_TOKEN)
    except CallFailedError as error:
        raise MokaError(f"{error.action} failed, so there is no way into {registry(environment)}: {error}") from error
    user, password = base64.b64decode(answer["authorizationData"][0]["authorizationToken"]).decode().split(":", 1)
    return Login(host=registry(environment).split("/", 1)[0], user=user, password=password)
