"""The page about pictures of architectures says what the program does; that these are fresh is asserted with the real templates."""

from __future__ import annotations

import re

from environments import environment_names
from moka.architecture.docs import COMMAND, IMAGES, PICTURED, picture_of
from moka.cli import COMMANDS

GUIDE = IMAGES.parent / "guides" / "architecture.md"


def test_the_guide_shows_each_picture_that_is_made_and_says_how_to_make_it_anew() -> None:
    text = GUIDE.read_text(encoding="utf-8")

    assert set(PICTURED) <= set(environment_names())
    for name in PICTURED:
        assert f"](../images/{picture_of(name).name})" in text
        assert picture_of(name).is_file()
    assert f"`{COMMAND}`" in text
    assert "draw" in COMMANDS
    assert "moka draw" in text


def test_every_link_of_the_guide_leads_to_a_file() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", GUIDE.read_text(encoding="utf-8"))

    assert links
    assert [link for link in links if not (GUIDE.parent / link).exists()] == []
