"""Where Celeborn's masters listen. Data alone, as Archer's view names them too: whoever needs an address starts no Node for it."""

from typing import Final

from environments.names import CELEBORN_NAMESPACE

CELEBORN_MASTER_PORT: Final = 9097


def master_host(number: int) -> str:
    """Return the name of a master's pod, which stays when the pod does not."""
    return f"celeborn-master-{number}.celeborn-master.{CELEBORN_NAMESPACE}.svc.cluster.local"
