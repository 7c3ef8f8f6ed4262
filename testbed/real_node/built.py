"""Our own images on a real node: out of buildah's storage into containerd, under the name that a chart asks for.

Nothing is pulled and no registry is asked: kubelet finds the name there already, and every chart says `IfNotPresent`. The
archive is Docker's form, the one that buildah writes as a stream without compressing layers.
"""

from __future__ import annotations

import subprocess
from typing import IO, TYPE_CHECKING

from testbed.errors import CannotStartError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from testbed.real_node.node import RealNode


def import_built(node: RealNode, built: str, name: str, environment: Mapping[str, str]) -> None:
    """Give the node the image `built` of buildah's storage as `name`; `environment` says where the storage is.

    Raises CannotStartError with what the programs said.
    """

    def write(to: IO[bytes]) -> None:
        command = ["buildah", "push", "--quiet", built, f"docker-archive:/dev/stdout:{name}"]
        done = subprocess.run(
            command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=to, stderr=subprocess.PIPE, check=False
        )
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise CannotStartError(
                f"buildah did not give {built}, exit code {done.returncode}: {said[-1] if said else 'it said nothing'}"
            )

    node.import_image(name, write)
