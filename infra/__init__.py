"""Stacks: what an environment file becomes in AWS.

One `Stage` per environment, named as the environment; in it network, data, per cluster a cluster and a platform stack,
and Archer's. Stacks wire constructs to the environment and hold no policy JSON, no address arithmetic and no branch on an
environment's name. References go one way: network → data → cluster → platform → archer.

`build_app` is imported from `infra.app`; this module imports nothing of the CDK, so that a bad environment file is
reported without waiting for it.
"""

from infra.node_runtime import name_node

name_node()

__all__ = ["name_node"]
