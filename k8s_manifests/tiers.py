"""The tiers of queues and their place in the order of priorities. Data alone: whoever needs a name starts no Node for it."""

from typing import Final, Literal

Tier = Literal["tier1", "tier2", "tier3"]
SparkRole = Literal["driver", "executor"]

TIERS: Final[dict[Tier, int]] = {"tier1": 30_000, "tier2": 20_000, "tier3": 10_000}
"""Base priority by tier; a driver gets `DRIVER_BONUS` more."""
DRIVER_BONUS: Final = 1_000
"""Puts a driver above its own executors and below the next tier."""
