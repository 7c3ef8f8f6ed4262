"""Images that are missing from the delivery registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moka.images.catalog import catalog
from moka.preflight import State
from moka.preflight.command import wanted_images

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account

IMAGE = "moka-dev/spark-operator-controller:2.5.2"
REPOSITORY = "moka-dev/spark-operator-controller"


def test_tag_that_is_missing_from_a_repository_fails(account: Account) -> None:
    account.client("ecr").batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": "2.5.2"}])

    row, report = account.row("images", IMAGE)

    assert (row.verdict.state, row.verdict.value, report.exit_code) == (State.FAIL, "no such tag", 1)
    assert row.verdict.fix == "moka images push dev"


def test_repository_that_the_first_deploy_makes_warns(account: Account) -> None:
    account.client("ecr").delete_repository(repositoryName=REPOSITORY, force=True)

    row, report = account.row("images", IMAGE)

    assert (row.verdict.state, row.verdict.value, report.exit_code) == (State.WARN, "no repository yet", 0)
    assert row.verdict.fix == "./cdk deploy 'dev/data', then moka images push dev, before the platform stacks"


def test_repository_that_an_existing_registry_lacks_fails(existing: Account) -> None:
    existing.client("ecr").delete_repository(repositoryName=REPOSITORY, force=True)

    row, _ = existing.row("images", IMAGE)

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, "no such repository")
    assert row.verdict.fix == "copy the image to 123456789012.dkr.ecr.us-east-1.amazonaws.com/moka-dev"


def test_registry_that_is_not_ecr_warns_with_what_to_look_for(existing: Account) -> None:
    existing.data["delivery"]["registry_uri"] = "registry.example.com/moka"

    row, _ = existing.row("images", "registry")

    assert (row.verdict.state, row.verdict.value) == (State.WARN, "registry.example.com/moka: not ECR, not looked at")
    assert row.verdict.fix == "look there for spark-operator-controller:2.5.2"


def test_wanted_images_are_those_that_a_push_fills_the_registry_with(account: Account) -> None:
    wanted = wanted_images(account.environment)

    assert [(image.repository, image.tag) for image in wanted] == [
        (entry.repository, entry.tag) for entry in catalog(account.environment)
    ]
    assert {"archer", "spark", "spark-operator"} <= {image.repository for image in wanted}
