"""Who carries a set to its cluster: this process, or the function that a deploy uses."""

from __future__ import annotations

import base64
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from moka_constructs.manifest_set.handler import bundle
from moka_constructs.manifest_set.handler.client import Client, Server
from moka_constructs.manifest_set.handler.deadline import Deadline
from moka_constructs.manifest_set.handler.request import Action, carry_out
from moka_constructs.manifest_set.handler.run import Delivery, Options

if TYPE_CHECKING:
    from collections.abc import Callable

    from environments.clusters import Cluster
    from moka.delivery.aws import Account
    from moka.delivery.sets import RenderedSet

LARGEST_PAYLOAD: Final = 6 * 1024 * 1024
"""What Lambda takes in a call that waits for its answer."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the command line asks for, beside the set."""

    prune: bool = False
    everything: bool = False
    force_fields: tuple[str, ...] = ()
    wait: bool = True


class Carrier(Protocol):
    """Applies or compares a set; the result is that of `handler.request`."""

    def carry(self, action: Action, rendered: RenderedSet, wishes: Wishes) -> dict[str, Any]: ...


@dataclass(kw_only=True)
class Direct:
    """This process talks to the API server."""

    server: Server
    seconds: float
    session: Any = None
    """boto3 session to look images up with; None looks none up."""
    account: str = ""

    def carry(self, action: Action, rendered: RenderedSet, wishes: Wishes) -> dict[str, Any]:
        """Work on the set from here."""
        client = Client(server=self.server, deadline=Deadline(self.seconds))
        options = Options(set_name=rendered.name, owner=rendered.eks_cluster, **asdict(wishes))
        delivery = Delivery(
            client=client, options=options, say=speaker(str(rendered)), session=self.session, account=self.account
        )
        try:
            return carry_out(delivery, action, rendered.files)
        finally:
            client.close()


@dataclass(kw_only=True)
class ViaLambda:
    """The cluster's function does it, from inside of the network."""

    account: Account
    cluster: Cluster

    def carry(self, action: Action, rendered: RenderedSet, wishes: Wishes) -> dict[str, Any]:
        """Send the set to the function and wait for its answer."""
        speaker(str(rendered))("sent to the cluster's function, which says nothing until it is done")
        content = bundle.write(bundle.contents(rendered.files))
        return self.account.invoke(
            self.cluster,
            {
                "Action": action,
                "ClusterName": rendered.eks_cluster,
                "Set": rendered.name,
                "Bundle": base64.b64encode(content).decode(),
                "Options": asdict(wishes),
            },
        )


def speaker(who: str) -> Callable[[str], None]:
    """Return what tells each new step on stderr."""
    last: list[str] = []

    def say(text: str) -> None:
        if [text] != last:
            last[:] = [text]
            sys.stderr.write(f"{who}: {text}\n")
            sys.stderr.flush()

    return say
