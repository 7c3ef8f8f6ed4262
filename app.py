"""Entry of the CDK: `./cdk synth` makes every environment's stacks, `./cdk synth -c env=dev` one environment's."""

import gc
import importlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import infra
from infra.leaving import run_and_leave

# The process lives for two seconds and makes objects all the while: collecting them is time for nothing.
gc.disable()
# Two threads take turns, and one mostly waits for the CDK's process: each answer waits for less than Python's usual five milliseconds.
sys.setswitchinterval(0.0005)
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def main() -> int:
    """Synthesise; 2 for a mistake of the user's, told on stderr without a stack trace."""
    infra.name_node()
    import jsii  # noqa: F401, PLC0415 - before threads share Python, so that it can start the CDK's own process at once

    # The CDK's own process takes a while to load. Meanwhile this one reads the environment files and loads the stacks.
    with ThreadPoolExecutor(max_workers=1) as cdk:
        loaded = cdk.submit(importlib.import_module, "infra.empty_app")
        from environments import environment_names, load_or_exit  # noqa: PLC0415 - after the thread has started
        from infra.bundles import BundleError, Bundles  # noqa: PLC0415
        from infra.selection import selected_names  # noqa: PLC0415

        context = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))
        environments = load_or_exit(selected_names(context.get("env"), environment_names()))
        # rendered by a process of its own, unless nothing changed since the last synth
        bundles = Bundles()
        bundles.prepare(environments)
        app = cdk.submit(loaded.result().app_and_services)
        from infra.app import PropsError, fill  # noqa: PLC0415 - when the thread imports nothing any more

        try:
            fill(app.result(), environments, bundles).synth()
        except (PropsError, BundleError) as error:
            sys.stderr.write(f"{error}\n")
            return 2
    return 0


if __name__ == "__main__":
    run_and_leave(main)
