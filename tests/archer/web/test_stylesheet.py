"""The one stylesheet: readable in light and in dark, for the keyboard, and with nothing from elsewhere."""

import re
from itertools import product
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[3] / "archer" / "web" / "static" / "archer.css").read_text(encoding="utf-8")

TEXT_ON_BACKGROUND = [
    *product(["text", "muted", "accent"], ["page", "surface", "sunken"]),
    *((tone, f"{tone}-soft") for tone in ("good", "bad", "busy", "wait", "warn")),
    # a button's label
    ("surface", "accent"),
]


def colours(theme: str) -> dict[str, str]:
    """`{"page": "#faf8f5"}` of the light theme, or of the dark one over it."""
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in re.findall(r":root {(.*?)}", CSS, re.DOTALL)
    )
    return light if theme == "light" else {**light, **dark}


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_its_background(theme: str) -> None:
    palette = colours(theme)

    for text, background in TEXT_ON_BACKGROUND:
        darker, lighter = sorted((luminance(palette[text]), luminance(palette[background])))
        ratio = (lighter + 0.05) / (darker + 0.05)
        # 4.5 is WCAG's AA for text of normal size
        assert ratio >= 4.5, f"{text} on {background} in {theme}: {ratio:.2f}"


def test_both_themes_define_the_same_colours() -> None:
    light, dark = (set(re.findall(r"--([\w-]+): #", block)) for block in re.findall(r":root {(.*?)}", CSS, re.DOTALL))

    assert light == dark


def test_focus_is_visible_and_never_removed() -> None:
    assert re.search(r":focus-visible { outline: 2.5px solid", CSS)
    assert not re.search(r"outline:\s*(none|0)", CSS)


def test_it_loads_nothing_and_moves_nothing_for_who_asked_for_stillness() -> None:
    assert "url(" not in CSS
    assert "@import" not in CSS
    assert CSS.index("prefers-reduced-motion: no-preference") < CSS.index("animation:")
    assert CSS.count("animation:") == 1
