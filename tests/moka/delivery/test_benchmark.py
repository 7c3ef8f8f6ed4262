"""benchmarks/manifests.py, without the control planes that it measures on."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def manifests() -> ModuleType:
    """The script; benchmarks are no package."""
    spec = importlib.util.spec_from_file_location("benchmark_manifests", ROOT / "benchmarks" / "manifests.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_both_ratios_are_judged_and_the_second_is_of_medians(manifests: ModuleType) -> None:
    within = manifests.Measured(10.0, 12.0, [2.0, 9.0, 1.0], [2.4, 0.1, 99.0])

    text, code = manifests.verdict(120, within)

    assert text.splitlines() == [
        "120 objects onto an empty cluster",
        "  kubectl apply --server-side    10.00 s    12.0 objects/s",
        "  ours                           12.00 s    10.0 objects/s",
        "  ratio 1.20, at most 1.2",
        "120 objects again, nothing to change",
        "  kubectl apply --server-side     2.00 s    60.0 objects/s",
        "  ours                            2.40 s    50.0 objects/s",
        "  ratio 1.20, at most 1.2",
    ]
    assert code == 0
    assert manifests.verdict(120, within._replace(ours_new=12.1))[1] == 1
    assert manifests.verdict(120, within._replace(ours_again=[2.5]))[1] == 1


def test_a_command_that_fails_ends_the_benchmark_with_its_own_words(manifests: ModuleType) -> None:
    with pytest.raises(SystemExit, match="no such file"):
        manifests.seconds([sys.executable, "-c", "import sys; sys.exit('no such file')"])
