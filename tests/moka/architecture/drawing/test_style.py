from __future__ import annotations

import re

import pytest

from moka.architecture.drawing.style import HUES, STYLE, icon


def colours(dark: bool) -> dict[str, str]:
    light, _, rest = STYLE.partition("@media")
    return dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{3,6})", rest.split("}}")[0] if dark else light))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("hue", HUES)
def test_text_in_each_hue_can_be_read_on_its_tint_and_numbers_on_their_disc(hue: str, dark: bool) -> None:
    found = colours(dark)

    assert contrast(found[hue], found[f"{hue}-tint"]) >= 4.5
    assert contrast(found["on"], found[hue]) >= 4.5


def test_dark_has_every_colour_that_light_has() -> None:
    assert set(colours(dark=True)) == set(colours(dark=False))


@pytest.mark.parametrize(
    "name", ["people", "globe", "balancer", "database", "cluster", "bucket", "image", "key", "role"]
)
def test_icons_are_paths_in_the_colour_of_what_they_stand_for(name: str) -> None:
    assert icon(name, 3, 4.5, "net").startswith('<path class="icon net-line" transform="translate(3 4.5)" d="M')
    assert 'class="icon ink"' in icon(name, 0, 0)
