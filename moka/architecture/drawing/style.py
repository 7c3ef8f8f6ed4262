"""Colours and icons of the picture. Light and dark follow the reader's setting; no colour says what no word says too."""

from __future__ import annotations

from typing import Final

from moka.svg import number

HUES: Final = ("net", "run", "data", "ctl")
"""Network, nodes, data, control: each has an ink, a tint to stand on, and an edge around it."""

_LIGHT: Final = {
    "net": ("#1d5c96", "#eef5fc", "#b5d0ea"),
    "run": ("#9a500c", "#fdf4ea", "#ecc9a2"),
    "data": ("#1f6b39", "#edf7f0", "#b2d9bf"),
    "ctl": ("#6437ad", "#f4effc", "#d0bff0"),
}
_DARK: Final = {
    "net": ("#8cc2f5", "#152636", "#34557a"),
    "run": ("#f2b37a", "#2d2015", "#664829"),
    "data": ("#86d39d", "#14281b", "#2f5a3c"),
    "ctl": ("#c6adf7", "#241c35", "#4f3d78"),
}


def _colours(hues: dict[str, tuple[str, str, str]]) -> str:
    return "".join(f"--{hue}:{ink};--{hue}-tint:{tint};--{hue}-edge:{edge};" for hue, (ink, tint, edge) in hues.items())


STYLE: Final = "\n".join(
    [
        f":root{{{_colours(_LIGHT)}--outer:#f6f8fa;--band:#f3f6f9;--edge:#c4ccd5;--on:#fff}}",
        f"@media (prefers-color-scheme:dark){{:root{{{_colours(_DARK)}--outer:#171c22;--band:#1a2028;--edge:#3d4752;--on:#14181d}}}}",
        # opened alone, it stands in the middle of a page of its own colour
        "svg:root{background:var(--back);display:block;margin:0 auto}",
        ".account{fill:var(--outer);stroke:var(--edge)}.vpc{fill:var(--back);stroke:var(--net-edge);stroke-width:1.5}",
        ".band{fill:var(--band)}.tier{fill:none;stroke:var(--line)}.mark{fill:none;stroke:var(--edge)}.card,.plain{fill:var(--back);stroke:var(--edge)}",
        ".existing{stroke-dasharray:4 3}.icon{fill:none;stroke-width:1.4;stroke-linecap:round;stroke-linejoin:round}",
        ".flow{fill:none;stroke-width:1.6}.rule{stroke:var(--line)}.onfull{fill:var(--on)}.ink{stroke:var(--dim)}",
        *(
            f".{hue}{{fill:var(--{hue}-tint);stroke:var(--{hue}-edge)}}.{hue}-ink{{fill:var(--{hue})}}"
            f".{hue}-line{{stroke:var(--{hue})}}"
            for hue in HUES
        ),
    ]
)


def _circle(x: float, y: float, radius: float) -> str:
    size = number(radius)
    return f"M{number(x - radius)} {number(y)}a{size} {size} 0 1 0 {number(2 * radius)} 0a{size} {size} 0 1 0 {number(-2 * radius)} 0"


_ICONS: Final = {
    "people": f"{_circle(6, 5, 2.4)}M1.5 14c0-3 2-4.8 4.5-4.8s4.5 1.8 4.5 4.8M11 2.9a2.3 2.3 0 0 1 0 4.4M12 9.4c1.6.6 2.6 2.2 2.6 4.6",
    "globe": f"{_circle(8, 8, 6.4)}M1.6 8h12.8M8 1.6c2.6 2.2 2.6 10.6 0 12.8M8 1.6c-2.6 2.2-2.6 10.6 0 12.8",
    "balancer": f"{_circle(8, 3.2, 1.8)}M8 5v5.8M3 10.8V8h10v2.8{_circle(3, 12.6, 1.7)}{_circle(8, 12.6, 1.7)}{_circle(13, 12.6, 1.7)}",
    "database": "M2.5 4c0-1.3 2.5-2.3 5.5-2.3s5.5 1 5.5 2.3-2.5 2.3-5.5 2.3S2.5 5.3 2.5 4zv8c0 1.3 2.5 2.3 5.5 2.3s5.5-1 5.5-2.3V4"
    "M2.5 8c0 1.3 2.5 2.3 5.5 2.3s5.5-1 5.5-2.3",
    "cluster": "M8 1.5l5.7 3.2v6.6L8 14.5l-5.7-3.2V4.7zM8 5l2.6 1.5v3L8 11 5.4 9.5v-3z",
    "bucket": "M2.5 3.6l1.4 9.9c0 .6 1.8 1.1 4.1 1.1s4.1-.5 4.1-1.1l1.4-9.9"
    "M2.5 3.6c0-1 2.5-1.9 5.5-1.9s5.5.9 5.5 1.9-2.5 1.9-5.5 1.9-5.5-.9-5.5-1.9z",
    "image": "M8 1.5l6 3v7l-6 3-6-3v-7zM2 4.5l6 3 6-3M8 7.5v7",
    "key": f"{_circle(5, 11, 3)}M7.2 8.8l6.3-6.3M10.6 5.4l2.2 2.2",
    "role": "M8 1.5l5.5 2v4.3c0 3.2-2.2 5.5-5.5 6.7-3.3-1.2-5.5-3.5-5.5-6.7V3.5zM5.5 8l1.8 1.8 3.3-3.5",
    "alarm": "M4 11.4V7a4 4 0 0 1 8 0v4.4l1.3 1.3H2.7zM6.5 14.4h3",
    "clock": f"{_circle(8, 8, 6.4)}M8 4.2V8l2.7 1.8",
    "nat": "M1.8 8h9M7.4 4.6L10.8 8l-3.4 3.4M14 2.4v11.2",
    "endpoint": "M5.4 1.6v3.6M10.6 1.6v3.6M3.6 5.2h8.8v2.4a4.4 4.4 0 0 1-8.8 0zM8 12v2.6",
    "archer": f"{_circle(8, 8, 6.2)}{_circle(8, 8, 2.6)}M8 8l6-6",
    "node": "M2 2.8h12v4.4H2zM2 8.8h12v4.4H2zM4.6 5h.1M4.6 11h.1",
}
ICON: Final = 16
"""Width and height of an icon."""


def icon(name: str, x: float, y: float, hue: str = "") -> str:
    """Return an icon whose upper left corner is at x, y."""
    line = f"{hue}-line" if hue else "ink"
    return f'<path class="icon {line}" transform="translate({number(x)} {number(y)})" d="{_ICONS[name]}"/>'
