"""What can go wrong with an AWS call, one class per reaction; botocore's exceptions end here.

MokaError
├── CallFailedError         one row is unknown, the others go on
│    ├── NotFoundError      a fact: the thing is not there
│    ├── DeniedError        unknown, with the action that is missing
│    └── UnreachableError   unknown; the first one of a run ends it, because nothing else will answer either
└── BadInputError
└── CredentialsError   ends the run: no credentials, or none that AWS accepts
"""

from typing import Final

from moka.errors import BadInputError, MokaError

_NOT_FOUND: Final = frozenset(
    {
        "ImageNotFoundException",
        "NoSuchBucket",
        "NoSuchEntity",
        "NoSuchEntityException",
        "NoSuchHostedZone",
        "NoSuchResourceException",
        "NotFoundException",
        "ParameterNotFound",
        "RepositoryNotFoundException",
        "ResourceNotFoundException",
    }
)
_DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedAccess", "UnauthorizedOperation"}
)
_REFUSED: Final = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""Codes with which services refuse credentials whole; a region that is not enabled answers with one of them too."""
_LONGEST: Final = 240
"""Characters of AWS' words that are shown: EC2 adds an encoded message of a thousand to a denial."""


class CredentialsError(BadInputError):
    """No credentials, or AWS refuses them."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code
        """AWS' error code; empty when the credentials never got that far."""


class CallFailedError(MokaError):
    """A call that had no usable answer, throttling after all retries included."""

    def __init__(self, action: str, code: str, message: str) -> None:
        super().__init__(f"{action} failed: {code}: {message}")
        self.action = action
        """IAM action: ec2:DescribeVpcs."""
        self.code = code
        """AWS' error code."""
        self.message = " ".join(message.split())[:_LONGEST]


class NotFoundError(CallFailedError):
    """The thing that was asked for does not exist."""


class DeniedError(CallFailedError):
    """The credentials may not make this call."""

    @property
    def by_organisation(self) -> bool:
        """Whether an organisation's policy denies it: then no policy of the account's own can allow it."""
        return "service control policy" in self.message or "resource control policy" in self.message


class UnreachableError(CallFailedError):
    """The service's endpoint does not answer."""


def from_code(action: str, code: str, message: str) -> MokaError:
    """Return the error for an answer of AWS with an error code."""
    plain = code.removeprefix("Client.")
    if plain in _NOT_FOUND or plain.endswith((".NotFound", "ID.NotFound")):
        return NotFoundError(action, plain, message)
    if plain in _DENIED:
        return DeniedError(action, plain, message.split("Encoded authorization failure message", maxsplit=1)[0])
    if plain in _REFUSED:
        return CredentialsError(
            f"AWS refuses the credentials ({plain}); log in again or choose another --profile", plain
        )
    return CallFailedError(action, plain, message)
