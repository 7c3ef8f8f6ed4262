import importlib
import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["k8s_manifests", "k8s_manifests.crds"])
def test_public_names_are_sorted_and_there(package: str) -> None:
    module = importlib.import_module(package)

    assert list(module.__all__) == sorted(
        module.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name)
    )
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'build_chart'"):
        _ = importlib.import_module("k8s_manifests").build_chart


def test_archers_view_starts_no_node() -> None:
    code = (
        "import sys; from environments import load; from k8s_manifests import archer_config; archer_config(load('test'));"
        "print(sorted({'cdk8s', 'constructs', 'jsii'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_charts_need_neither_the_aws_side_nor_archer() -> None:
    code = "import sys; from k8s_manifests import build_charts; print(sorted({'aws_cdk', 'archer', 'kubeflow_spark_api'} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
