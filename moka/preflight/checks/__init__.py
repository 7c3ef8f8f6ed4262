"""All checks, in the order in which they are made and shown. The first decides whether the others make sense."""

from typing import Final

from moka.preflight.check import Check
from moka.preflight.checks import (
    account,
    addresses,
    bootstrap,
    endpoint,
    images,
    instance_types,
    keys,
    kubernetes,
    network,
    placeholders,
    quotas,
    region,
    roles,
    service_roles,
)

CHECKS: Final[tuple[Check, ...]] = (
    account.CHECK,
    placeholders.CHECK,
    region.CHECK,
    bootstrap.CHECK,
    quotas.CHECK,
    instance_types.CHECK,
    network.CHECK,
    addresses.CHECK,
    keys.CHECK,
    roles.CHECK,
    service_roles.CHECK,
    endpoint.CHECK,
    kubernetes.CHECK,
    images.CHECK,
)
