"""What a real API server answers to SparkApplications under our definitions: taken and kept whole, or refused by field."""

from __future__ import annotations

import copy

import pytest

from testbed.kubernetes import ApiError, Client
from testbed.spark_applications import API, KIND

from .documents import BASE, INVALID, NAMESPACE, VALID, WEBHOOK, Document, merged

FEWEST = 30
INVALID_CODES = {400, 404, 422}
DRY = {"dryRun": "All", "fieldValidation": "Strict"}


def test_thirty_documents_of_either_kind_are_tried_and_no_two_are_alike() -> None:
    for documents in (VALID, INVALID):
        assert len(documents) >= FEWEST
    everything = [*VALID, *INVALID, *WEBHOOK]
    assert len({document.title for document in everything}) == len(everything)
    assert len({repr(document.manifest) for document in everything}) == len(everything)


@pytest.mark.parametrize("document", VALID, ids=str)
def test_a_valid_document_passes_the_dry_run_and_is_kept_without_a_change(
    client: Client, documents: str, document: Document
) -> None:
    tried = client.create(document.manifest, **DRY)
    assert client.list(API, KIND, documents) == [], "a dry run keeps nothing"
    assert tried["spec"] == document.manifest["spec"]

    client.create(document.manifest)

    kept = client.get(API, KIND, document.manifest["metadata"]["name"], documents)
    assert kept["spec"] == document.manifest["spec"]
    for key, value in document.manifest["metadata"].items():
        assert kept["metadata"][key] == value


@pytest.mark.parametrize("document", INVALID, ids=str)
def test_an_invalid_document_is_refused_with_its_field(client: Client, documents: str, document: Document) -> None:
    for parameters in (DRY, {}):
        with pytest.raises(ApiError) as refused:
            _post(client, document, parameters)
        assert refused.value.code in INVALID_CODES
        assert document.says in refused.value.message
    assert client.list(API, KIND, documents) == []


@pytest.mark.parametrize("document", WEBHOOK, ids=str)
def test_without_the_operators_webhook_the_definition_takes_what_only_that_refuses(
    client: Client, documents: str, document: Document
) -> None:
    client.create(document.manifest, **DRY)


def test_a_field_that_the_definition_lacks_is_refused_when_asked_to_be_strict_and_dropped_otherwise(
    client: Client, documents: str
) -> None:
    surplus = merged(BASE, {"spec": {"driver": {"colour": "red"}}})

    with pytest.raises(ApiError, match=r'unknown field "spec\.driver\.colour"'):
        client.create(surplus, **DRY)
    kept = client.create(surplus)

    assert kept["spec"]["driver"] == {}


def test_the_status_is_written_through_its_own_door_alone(client: Client, documents: str) -> None:
    state = {"applicationState": {"state": "COMPLETED"}, "driverInfo": {}}
    made = client.create({**copy.deepcopy(BASE), "status": state})
    assert "status" not in made

    written = client.patch_status(API, KIND, made["metadata"]["name"], documents, status=state)

    assert written["status"]["applicationState"] == state["applicationState"]
    assert written["metadata"]["generation"] == made["metadata"]["generation"]


def _post(client: Client, document: Document, parameters: dict[str, str]) -> None:
    """Send it to where SparkApplications are made, whatever it says itself."""
    client.request("POST", client.path(API, KIND, None, NAMESPACE), document.manifest, params=parameters)
