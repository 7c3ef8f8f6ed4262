"""The operator's three CustomResourceDefinitions: committed as generated files, rendered before everything else.

`python -m k8s_manifests.crds` writes `imports/*.json` again from the `kubeflow-spark-api` models; a test fails when
they are stale. They equal the release's except that they carry no descriptions: 96 KB instead of 798 KB for a
SparkApplication (design D8). Nothing here may be edited by hand but `overlay.py` and the printer columns.
"""

from k8s_manifests.crds.chart import DEFINITIONS, CrdsChart, Definition

__all__ = ["DEFINITIONS", "CrdsChart", "Definition"]
