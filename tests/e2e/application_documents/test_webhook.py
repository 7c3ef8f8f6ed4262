"""The real operator's validating webhook between the API server and the same documents, with our chart's registration.

Left out unless SPARK_OPERATOR_BIN names the binary. It has a control plane of its own: what it registers is the cluster's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import yaml

from environments import load
from environments.loading import FOLDER
from testbed.kubernetes import ApiError, Client
from testbed.operator_chart import OperatorChart
from testbed.real_spark_operator import binary
from testbed.real_spark_webhook import RealWebhook
from testbed.spark_applications import API, KIND

from .documents import BASE, NAMESPACE, VALID, WEBHOOK, Document, merged

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.control_plane import ControlPlane

pytestmark = pytest.mark.real_operator
DRY = {"dryRun": "All", "fieldValidation": "Strict"}
VALIDATOR = "validate-sparkoperator-k8s-io-v1beta2-sparkapplication.sparkoperator.k8s.io"


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> OperatorChart:
    """The operator's chart where the documents' namespace is a team's."""
    document = yaml.safe_load((FOLDER / "test.yaml").read_text())
    quota = {"vcores": 64, "memory_gib": 512, "pods": 1000}
    name = NAMESPACE.removeprefix("spark-")
    document["teams"] = [{"name": name, "queues": ["root.shared"], "submitters": ["everyone"], "quota": quota}]
    file: Path = tmp_path_factory.mktemp("environment") / "test.yaml"
    file.write_text(json.dumps(document))
    environment = load(file)
    return OperatorChart.of(environment, environment.clusters[0])


@pytest.fixture(scope="module")
def webhook(plane_factory: Callable[..., ControlPlane], chart: OperatorChart) -> Iterator[RealWebhook]:
    """The webhook, registered."""
    program = binary()
    assert program is not None
    with plane_factory() as plane:
        chart.install(plane)
        with RealWebhook(program, plane, chart) as started:
            yield started


@pytest.fixture(scope="module")
def asking(webhook: RealWebhook) -> Client:
    """The administrator's client of the cluster that asks the webhook."""
    return webhook.cluster.client()


@pytest.mark.parametrize("document", WEBHOOK, ids=str)
def test_the_webhook_refuses_what_the_definition_takes(asking: Client, document: Document) -> None:
    with pytest.raises(ApiError) as refused:
        asking.create(document.manifest, **DRY)

    assert f'admission webhook "{VALIDATOR}" denied the request' in refused.value.message
    assert document.says in refused.value.message


@pytest.mark.parametrize("document", VALID, ids=str)
def test_the_webhook_lets_every_valid_document_pass(asking: Client, document: Document) -> None:
    tried = asking.create(document.manifest, **DRY)

    assert tried["spec"] == document.manifest["spec"]


def test_an_edit_of_the_metadata_alone_is_not_judged_again_and_one_of_the_specification_is(asking: Client) -> None:
    made = asking.create(merged(BASE, {"metadata": {"name": "edited"}}))
    name = made["metadata"]["name"]

    asking.patch(API, KIND, name, NAMESPACE, body={"metadata": {"labels": {"a": "b"}}})
    with pytest.raises(ApiError, match=r"spark\.master"):
        asking.patch(API, KIND, name, NAMESPACE, body={"spec": {"sparkConf": {"spark.master": "local"}}})

    asking.delete(API, KIND, name, NAMESPACE)


def test_applications_outside_of_the_teams_namespaces_are_not_asked_about(asking: Client) -> None:
    (refused, *_others) = WEBHOOK

    asking.request("POST", asking.path(API, KIND, None, "default"), _in(refused, "default"), params=DRY)


def test_the_webhooks_own_token_is_enough_for_all_that_it_does(webhook: RealWebhook) -> None:
    said = [line for line in webhook.log().splitlines() if "forbidden" in line.lower()]

    assert said == []


def _in(document: Document, namespace: str) -> dict[str, object]:
    moved: dict[str, object] = merged(document.manifest, {"metadata": {"namespace": namespace}})
    return moved
