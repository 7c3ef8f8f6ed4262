"""Until when EKS supports each Kubernetes version: a dated table, so that a synth and a preflight say the same.

Source: https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html, the release calendar. Standard support
lasts 14 months, extended support (billed at six times the price) 12 more; then EKS upgrades the control plane by itself.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

READ_ON: Final = date(2026, 9, 8)
"""Day of the calendar that the table was taken from."""


@dataclass(frozen=True, kw_only=True)
class Support:
    """The last days of one version."""

    standard: date
    extended: date


SUPPORT: Final = {
    "1.34": Support(standard=date(2026, 12, 2), extended=date(2027, 12, 2)),
    "1.35": Support(standard=date(2027, 3, 27), extended=date(2028, 3, 27)),
    "1.36": Support(standard=date(2027, 8, 2), extended=date(2028, 8, 2)),
}
