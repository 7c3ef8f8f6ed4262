import importlib

import pytest


@pytest.mark.parametrize("package", ["k8s_manifests", "k8s_manifests.crds"])
def test_public_names_are_sorted_and_there(package: str) -> None:
    module = importlib.import_module(package)

    assert list(module.__all__) == sorted(
        module.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name)
    )
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_charts_need_neither_the_aws_side_nor_archer() -> None:
    import subprocess
    import sys

    code = "import sys, k8s_manifests; print(sorted({'aws_cdk', 'archer', 'kubeflow_spark_api'} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
