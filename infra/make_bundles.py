"""`python -m infra.make_bundles`: renders the environments that come on stdin, a JSON object per line, into bundles.

A process of its own, so that cdk8s and the CDK load at the same time; see `bundles`. Exit code 1 and a text on stderr when
an environment cannot be rendered.
"""

import gc
import json
import os
import sys
from pathlib import Path

from infra.leaving import run_and_leave

# it lives for a second and makes objects all the while
gc.disable()
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def main() -> int:
    """Make the bundles of every line."""
    # loading cdk8s starts Node, which takes its time in another process: environments are read meanwhile
    from environments import Environment  # noqa: PLC0415  # after the garbage collector is off
    from infra.bundles import store  # noqa: PLC0415
    from k8s_manifests import ChartError  # noqa: PLC0415
    from k8s_manifests.assembly import build_charts  # noqa: PLC0415
    from moka_constructs.manifest_set.handler import bundle  # noqa: PLC0415
    from moka_constructs.manifest_set.handler.order import ManifestFile  # noqa: PLC0415

    for line in sys.stdin:
        order = json.loads(line)
        environment = Environment.model_validate_json(order["environment"])
        made: dict[str, bytes] = {}
        for cluster in environment.clusters:
            try:
                components = build_charts(environment, cluster)
            except ChartError as error:
                sys.stderr.write(f"environment {environment.name} cannot be rendered: {error}\n")
                return 1
            for set_name in ("platform", "archer"):
                own = [each for each in components if each.set_name == set_name]
                files = [ManifestFile(name=each.file_name, manifests=each.manifests) for each in own]
                if files:
                    # no YAML beside the JSON: nobody but people would read it, and writing it takes as long as all the rest
                    content = bundle.contents(files)
                    made[f"{cluster.name}.{set_name}.{bundle.digest(content)}.zip"] = bundle.write(content)
        store(Path(order["folder"]), made)
    return 0


if __name__ == "__main__":
    run_and_leave(main)
