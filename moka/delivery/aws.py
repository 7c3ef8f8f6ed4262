"""The edge to AWS: where a cluster is, a token for it, and its function. boto3 ships no types; what leaves here is plain data."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config  # type: ignore[import-untyped]  # boto3 and botocore ship no types
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # as above

from environments import names
from moka.errors import BadInputError, MokaError
from moka.preflight.aws import open_session
from moka_constructs.manifest_set.handler.client import Server
from moka_constructs.manifest_set.handler.eks_token import eks_token_source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from environments import Environment
    from environments.clusters import Cluster

FUNCTION_SECONDS: Final = 900
"""The longest that the function runs."""


class Account:
    """The environment's account, with the caller's credentials."""

    def __init__(self, environment: Environment, profile: str | None) -> None:
        """Open a session. Raises BadInputError when it is another account's, or there are no credentials."""
        self.session = open_session(profile, environment.region)
        self._environment = environment
        found = self._ask("sts", "get_caller_identity")["Account"]
        if found != environment.account:
            raise BadInputError(
                f"the credentials must be of account {environment.account}, environment {environment.name}'s, "
                f"got {found}; choose others with --profile"
            )

    def server(self, cluster: Cluster) -> Server:
        """Return where a cluster's API server is, and a token for the caller."""
        environment = self._environment
        name = names.eks_cluster(environment, cluster)
        found = self._ask("eks", "describe_cluster", name=name)["cluster"]
        return Server(
            url=found["endpoint"],
            ca=base64.b64decode(found["certificateAuthority"]["data"]).decode(),
            token=eks_token_source(self.session, environment.region, name),
        )

    def invoke(self, cluster: Cluster, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the cluster's function answers. Raises MokaError when it broke."""
        name = names.role(self._environment, cluster, "manifests")
        # one try: the function works on while the caller waits, and a second one would work beside it
        config = Config(read_timeout=FUNCTION_SECONDS + 10, retries={"total_max_attempts": 1})
        answer = self._ask("lambda", "invoke", config, FunctionName=name, Payload=json.dumps(payload).encode())
        result: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise MokaError(f"function {name} broke: {result.get('errorMessage', result)}")
        return result

    def _ask(self, service: str, call: str, config: Config | None = None, **parameters: Any) -> dict[str, Any]:
        """Return the answer of one call, or tell its refusal."""
        try:
            found: dict[str, Any] = getattr(self.session.client(service, config=config), call)(**parameters)
        except ClientError as error:
            raise MokaError(f"AWS refused {service} {call} {_about(parameters)}: {error}") from error
        except BotoCoreError as error:
            raise BadInputError(f"AWS cannot be asked ({service} {call}): {error}") from error
        return found


def _about(parameters: Mapping[str, Any]) -> str:
    return " ".join(str(value) for key, value in parameters.items() if key != "Payload")
