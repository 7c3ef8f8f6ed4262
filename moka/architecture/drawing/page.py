"""Where things may stand: the frames' sides, one column per zone, and the lanes for arrows beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from moka.architecture.drawing.canvas import Canvas
from moka.svg import Box

MARGIN: Final = 24
"""Around everything, and within the account's frame."""
NARROWEST: Final = 1120
"""Width of a picture of up to three zones."""
GAP: Final = 10
"""Between two columns."""
UNTOLD: Final = "zones not in the templates"
"""Said of what no zone is told of."""

_INSET: Final = 16
_LEFT_LANES, _RIGHT_LANES = 32, 56
_GUTTER: Final = 164
"""Room for names, left of the columns."""
_COLUMN: Final = 216
"""The least width of a column."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """The horizontal plan of one picture."""

    zones: tuple[str | None, ...]
    """One column each; None is the column for what no zone is told of."""

    @property
    def width(self) -> float:
        beside = 2 * (MARGIN + _INSET) + _LEFT_LANES + _RIGHT_LANES + _GUTTER + MARGIN
        return max(NARROWEST, beside + len(self.zones) * (_COLUMN + GAP) - GAP)

    @property
    def account(self) -> tuple[float, float]:
        """Left side and width of the account's frame."""
        return MARGIN, self.width - 2 * MARGIN

    @property
    def vpc(self) -> tuple[float, float]:
        """Left side and width of the VPC's frame, and of the row of cards below it."""
        return MARGIN + _INSET, self.width - 2 * (MARGIN + _INSET)

    @property
    def tier(self) -> tuple[float, float]:
        """Left side and width of the frames in the VPC."""
        x, width = self.vpc
        return x + _LEFT_LANES, width - _LEFT_LANES - _RIGHT_LANES

    @property
    def columns(self) -> tuple[float, float]:
        """Left side and width of all columns together."""
        x, width = self.tier
        return x + _GUTTER, width - _GUTTER - MARGIN

    @property
    def gutter(self) -> tuple[float, float]:
        """Left side and width of the room for names."""
        return self.tier[0] + MARGIN, _GUTTER - MARGIN - 8

    @property
    def left_lane(self) -> float:
        return self.vpc[0] + _LEFT_LANES / 2

    @property
    def right_lanes(self) -> tuple[float, float]:
        """The inner and the outer one."""
        right = sum(self.tier)
        return right + 16, right + 38

    def column(self, zone: str | None, y: float, height: float) -> Box:
        """The place in a zone's column."""
        x, width = self.columns
        each = (width - GAP * (len(self.zones) - 1)) / len(self.zones)
        return Box(x + self.zones.index(zone) * (each + GAP), y, each, height)

    def across(self, y: float, height: float) -> Box:
        """The place across all columns."""
        return Box(self.columns[0], y, self.columns[1], height)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A picture in the making: its plan, what is drawn already, and where the things are that arrows join."""

    page: Page
    canvas: Canvas = field(default_factory=Canvas)
    boxes: dict[str, Box] = field(default_factory=dict)
