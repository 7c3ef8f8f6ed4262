"""The page about specs says what the code does."""

from pathlib import Path

from archer.reference.spark_properties import layers_table

PAGE = (Path(__file__).parents[3] / "docs" / "concepts" / "spark-application.md").read_text()


def test_the_table_of_layers_is_the_codes() -> None:
    assert layers_table() in PAGE


def test_the_figures_are_the_codes() -> None:
    from archer.spark_application import crd, places, platform_conf

    assert f"{places.USABLE:.0%} are for a job's" in PAGE.replace("\n", " ")
    assert f"of their {platform_conf.EXECUTOR_STOP_SECONDS} seconds" in PAGE
    assert f"{crd.MAX_MANIFEST_BYTES / 1e6:g} MB in all" in PAGE
    assert f"{crd.MAX_ANNOTATIONS_BYTES // 1024} KiB" in PAGE
