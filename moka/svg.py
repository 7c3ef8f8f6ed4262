"""Pieces that every picture (SVG) of ours is made of: the document with its words for those who do not see it, shapes, text that fits.

Nothing measures text here, because nobody knows the reader's fonts: widths are estimated on the safe side, from the widest of
the common system fonts. A face (size, weight, monospaced or not) is declared once and gives both the style sheet's rule and the width,
so that these two cannot disagree. Pictures name nothing outside of themselves and carry no day: the same facts give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SANS: Final = "system-ui,sans-serif"
_MONO: Final = "ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"


Point = tuple[float, float]


class Box(NamedTuple):
    """A place in a picture."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        """Half way down."""
        return self.y + self.height / 2

    @property
    def centre(self) -> float:
        """Half way to the right."""
        return self.x + self.width / 2


@dataclass(frozen=True, kw_only=True)
class Face:
    """How a text is set."""

    size: int
    bold: bool = False
    mono: bool = False

    @property
    def css(self) -> str:
        """The `font` of a style sheet."""
        return f"{600 if self.bold else 400} {self.size}px {_MONO if self.mono else _SANS}"


BODY: Final = Face(size=12)
FACES: Final[dict[str, Face]] = {
    "title": Face(size=18, bold=True),
    "head": Face(size=13, bold=True),
    "name": Face(size=12, bold=True),
    "small": Face(size=11),
    "tag": Face(size=10, bold=True),
    "code": Face(size=11, mono=True),
}
"""By class; text without one of these is BODY."""

BASE_STYLE: Final = """\
:root{--back:#fff;--ink:#1b1f24;--dim:#5b6570;--line:#dfe3e8}
@media (prefers-color-scheme:dark){:root{--back:#14181d;--ink:#e8ecf1;--dim:#9aa5b1;--line:#2b323a}}
.back{fill:var(--back)}.dim{fill:var(--dim)}.end{text-anchor:end}.mid{text-anchor:middle}"""
"""Colours that all pictures share; each adds its own."""

_WIDTHS: Final[dict[str, float]] = {
    **dict.fromkeys("ijl'", 0.3),
    **dict.fromkeys(" ,./:;I-()[]ftr·!|", 0.42),
    **dict.fromkeys("cszvxykJ?_*", 0.6),
    **dict.fromkeys("ABCEFKLPRSTVXYZ", 0.74),
    **dict.fromkeys("DGHNOQUw&+<=>~#→", 0.84),
    **dict.fromkeys("mMW%@…", 1.0),
}
"""In sizes of the font, at least what DejaVu Sans, Inter and Liberation Sans take; every other character: _OTHER."""
_OTHER: Final = 0.65
_BOLD: Final = 0.08
"""What a character of a bold face takes more."""
_MONO_WIDTH: Final = 0.62


def face_of(kind: str) -> Face:
    """Return the face of a text with these classes."""
    return next((FACES[each] for each in kind.split() if each in FACES), BODY)


def text_width(text: str, kind: str = "") -> float:
    """Return the pixels that `text` takes at most, with these classes."""
    face = face_of(kind)
    if face.mono:
        return len(text) * _MONO_WIDTH * face.size
    more = _BOLD if face.bold else 0
    return sum(_WIDTHS.get(each, _OTHER) + more for each in text) * face.size


def shortened(text: str, room: float, kind: str = "") -> str:
    """Return `text`, or as much of it as has room, with an ellipsis; empty when not even three characters have."""
    if text_width(text, kind) <= room:
        return text
    fits = next((end for end in range(len(text), 2, -1) if text_width(f"{text[:end]}…", kind) <= room), 0)
    return f"{text[:fits]}…" if fits else ""


def wrapped(words: Iterable[str], room: float, kind: str = "", between: str = " ") -> list[str]:
    """Return lines of whole words that have room; a word that is wider than a line has one of its own."""
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]}{between}{word}" if lines else word
        if lines and text_width(longer, kind) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def document(
    *, width: float, height: float, title: str, told: str, style: str, parts: Iterable[str], sized: bool = False
) -> str:
    """Return the whole SVG. `told` is the picture in words; `sized` keeps its size where it is opened alone, to be scrolled."""
    size = f' width="{number(width)}" height="{number(height)}"' if sized else ""
    view = f'viewBox="0 0 {number(width)} {number(height)}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg"{size} {view} role="img" aria-labelledby="t d">',
            f'<title id="t">{escape(title)}</title>',
            f'<desc id="d">{escape(told)}</desc>',
            f"<style>{BASE_STYLE}\n{_faces()}\n{style}</style>",
            rect(Box(0, 0, width, height), "back"),
            *parts,
            "</svg>",
            "",
        ]
    )


def _faces() -> str:
    rules = [f".{kind}{{font:{face.css}}}" for kind, face in FACES.items()]
    return f"text{{font:{BODY.css};fill:var(--ink)}}\n{''.join(rules)}"


def number(value: float) -> str:
    """Return a coordinate with one decimal at most."""
    return f"{value:.1f}".removesuffix(".0")


def rect(box: Box, kind: str, *, radius: float = 0, tip: str = "") -> str:
    """Return a rectangle; `tip` is its tooltip."""
    corner = f' rx="{number(radius)}"' if radius else ""
    place = f'x="{number(box.x)}" y="{number(box.y)}" width="{number(box.width)}" height="{number(box.height)}"'
    return _element("rect", f"class={quoteattr(kind)} {place}{corner}", tooltip(tip))


def line(start: Point, end: Point, kind: str, *, tip: str = "") -> str:
    """Return a straight line; `tip` is its tooltip."""
    place = f'x1="{number(start[0])}" x2="{number(end[0])}" y1="{number(start[1])}" y2="{number(end[1])}"'
    return _element("line", f"class={quoteattr(kind)} {place}", tooltip(tip))


def label(x: float, y: float, text: str, kind: str = "", *, tip: str = "") -> str:
    """Return a text whose base line is at y; `tip` is its tooltip."""
    classes = f"class={quoteattr(kind)} " if kind else ""
    return f'<text {classes}x="{number(x)}" y="{number(y)}">{escape(text)}{tooltip(tip)}</text>'


def span(text: str, kind: str = "", attributes: Mapping[str, str] | None = None, *, tip: str = "") -> str:
    """Return a part of a line, with classes and a tooltip of its own."""
    given = {"class": kind, **(attributes or {})} if kind else (attributes or {})
    return f"<tspan{_attributes(given)}>{escape(text)}{tooltip(tip)}</tspan>"


def spanned(x: float, y: float, spans: Iterable[str], kind: str = "") -> str:
    """Return a line made of spans: their distances are the reader's font's, not estimates."""
    classes = f"class={quoteattr(kind)} " if kind else ""
    return f'<text {classes}x="{number(x)}" y="{number(y)}">{"".join(spans)}</text>'


def fitted(x: float, y: float, text: str, kind: str = "", *, room: float) -> str:
    """Return a text that is shortened to its room; the whole of it is its tooltip then. Nothing when it has no room at all."""
    short = shortened(text, room, kind)
    return label(x, y, short, kind, tip=text if short != text else "") if short else ""


def tooltip(text: str) -> str:
    """Return the element that browsers show over its parent; nothing for no text."""
    return f"<title>{escape(text)}</title>" if text else ""


def group(parts: Iterable[str], attributes: Mapping[str, str], tip: str = "") -> str:
    """Return shapes that belong together, with a tooltip for all of them."""
    return f"<g{_attributes(attributes)}>{tooltip(tip)}{''.join(parts)}</g>"


def _attributes(given: Mapping[str, str]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in given.items())


def _element(name: str, attributes: str, inside: str) -> str:
    return f"<{name} {attributes}>{inside}</{name}>" if inside else f"<{name} {attributes}/>"
