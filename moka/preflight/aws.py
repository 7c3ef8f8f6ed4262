"""The edge to AWS: the only module that imports boto3, makes clients and sees botocore's exceptions.

boto3 has no types; what leaves this module is plain data behind two methods of `Reader`. A reader belongs to one check
and makes only the calls that the check declared. Equal calls of several checks are made once.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

import boto3  # type: ignore[import-untyped]  # boto3 ships no types; the Reader protocol is the typed edge
import botocore  # type: ignore[import-untyped]  # as above
import botocore.exceptions  # type: ignore[import-untyped]  # as above
from botocore.config import Config  # type: ignore[import-untyped]  # as above

from moka.errors import BadInputError, MokaError
from moka.preflight.calls import Call
from moka.preflight.failures import CredentialsError, UnreachableError, from_code

_CONFIG: Final = Config(
    connect_timeout=5,
    read_timeout=30,
    # throttling and passing faults are botocore's business: exponential waits of at most 20 s each
    retries={"mode": "standard", "total_max_attempts": 6},
    user_agent_extra="moka-preflight",
)

_NO_CREDENTIALS: Final = (
    botocore.exceptions.NoCredentialsError,
    botocore.exceptions.PartialCredentialsError,
    botocore.exceptions.CredentialRetrievalError,
    botocore.exceptions.SSOError,
    botocore.exceptions.TokenRetrievalError,
    botocore.exceptions.ConfigParseError,
    botocore.exceptions.ProfileNotFound,
)
_UNREACHABLE: Final = (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError)


class Reader(Protocol):
    """What a check may do."""

    def get(self, call: Call, *, region: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Return the answer of one call. Raises CallFailedError and CredentialsError."""

    def pages(self, call: Call, key: str, **parameters: Any) -> list[Any]:
        """Return what all pages of a call hold under `key`. Raises CallFailedError and CredentialsError."""


def open_session(profile: str | None, region: str) -> Any:
    """Return a boto3 session. Raises BadInputError for a profile that does not exist or cannot be read."""
    try:
        return boto3.session.Session(profile_name=profile, region_name=region)
    except botocore.exceptions.ProfileNotFound as error:
        known = ", ".join(boto3.session.Session().available_profiles) or "none"
        raise BadInputError(
            f"`--profile` must be a profile of your AWS configuration ({known}), got {profile!r}"
        ) from error
    except _NO_CREDENTIALS as error:
        raise BadInputError(f"the AWS configuration cannot be read: {error}; mend the file it names") from error


class Aws:
    """Clients of one account and region, and what they have answered so far."""

    def __init__(self, session: Any, region: str) -> None:
        self._session = session
        self._region = region
        self._clients: dict[tuple[str, str], Any] = {}
        self._answers: dict[str, Any] = {}
        self._out_of_reach: dict[tuple[str, str], UnreachableError] = {}

    def reader(self, declared: Iterable[Call]) -> Reader:
        """Return a reader for the declared calls and no others."""
        return _Reader(self, frozenset(declared))

    def ask(self, call: Call, region: str | None, parameters: dict[str, Any], key: str | None) -> Any:
        """Return the answer, from memory when the same was asked before; errors are remembered only when nothing answers."""
        where = (call.service, region or self._region)
        if where in self._out_of_reach:
            raise self._out_of_reach[where]
        question = json.dumps([*where, call.operation, parameters, key], sort_keys=True)
        if question not in self._answers:
            try:
                self._answers[question] = _translated(call, lambda: self._made(call, where, parameters, key))
            except UnreachableError as error:
                self._out_of_reach[where] = error
                raise
        return self._answers[question]

    def _made(self, call: Call, where: tuple[str, str], parameters: dict[str, Any], key: str | None) -> Any:
        if where not in self._clients:
            service, region = where
            self._clients[where] = self._session.client(service, region_name=region, config=_CONFIG)
        client = self._clients[where]
        method = botocore.xform_name(call.operation)
        if key is None:
            return getattr(client, method)(**parameters)
        if client.can_paginate(method):
            return client.get_paginator(method).paginate(**parameters).build_full_result().get(key, [])
        return getattr(client, method)(**parameters).get(key, [])


class _Reader:
    """An account as one check may see it."""

    def __init__(self, aws: Aws, declared: frozenset[Call]) -> None:
        self._aws = aws
        self._declared = declared

    def get(self, call: Call, *, region: str | None = None, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._aws.ask(self._allowed(call), region, parameters, None)
        return answer

    def pages(self, call: Call, key: str, **parameters: Any) -> list[Any]:
        answer: list[Any] = self._aws.ask(self._allowed(call), None, parameters, key)
        return answer

    def _allowed(self, call: Call) -> Call:
        if call not in self._declared:
            raise AssertionError(f"{call.action} is not among the calls that this check declares")
        return call


def _translated(call: Call, make: Callable[[], Any]) -> Any:
    """Return what `make` returns; raises our errors for botocore's."""
    try:
        return make()
    except botocore.exceptions.ClientError as error:
        said = error.response.get("Error", {})
        raise from_code(call.action, str(said.get("Code", "")), str(said.get("Message", ""))) from error
    except _NO_CREDENTIALS as error:
        hint = "set AWS_PROFILE, use --profile, or log in (`aws sso login`)"
        raise CredentialsError(f"no usable AWS credentials: {str(error).rstrip('.')}; {hint}") from error
    except _UNREACHABLE as error:
        raise UnreachableError(call.action, type(error).__name__, str(error)) from error
    except botocore.exceptions.BotoCoreError as error:
        raise MokaError(f"{call.action} could not be called: {error}") from error
