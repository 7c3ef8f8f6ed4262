"""Generates the pages under `docs/reference/` from the code: `python -m archer.reference docs/reference`.

A page that is written by hand is true on the day it is written. Tests hold the committed pages to what this gives.
"""

from archer.reference.api import api_page
from archer.reference.roles import roles_page
from archer.reference.settings import settings_page
from archer.reference.spark_properties import spark_properties_page
from archer.reference.states import states_page

PAGES = {
    "archer-api.md": api_page,
    "archer-roles.md": roles_page,
    "archer-settings.md": settings_page,
    "archer-spark-properties.md": spark_properties_page,
    "archer-states.md": states_page,
}
"""File name to the function that gives its text."""

__all__ = ["PAGES", "api_page", "roles_page", "settings_page", "spark_properties_page", "states_page"]
