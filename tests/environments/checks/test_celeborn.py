"""Celeborn by itself. Refusals in full are in `cases/capacity.yaml`."""

from collections.abc import Callable

import pytest

from environments.checks import celeborn
from environments.model import Environment

Make = Callable[..., Environment]


def test_a_single_worker_without_copies_is_allowed(environment: Make) -> None:
    made = environment("prod", {"celeborn": {"masters": 1, "workers": 1, "replicate": False}})

    assert list(celeborn.workers(made)) == []


@pytest.mark.parametrize(("workers", "fits"), [(12, True), (13, False)])
def test_there_is_a_node_for_every_worker(workers: int, *, fits: bool, environment: Make) -> None:
    made = environment("prod", {"celeborn.workers": workers})

    assert (list(celeborn.workers(made)) == []) is fits


def test_an_environment_without_celeborn_is_allowed(environment: Make) -> None:
    made = environment("dev")

    assert list(celeborn.both_or_neither(made)) == []
    assert list(celeborn.workers(made)) == []
