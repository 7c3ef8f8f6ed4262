"""Entry of the CDK: `./cdk synth` makes every environment's stacks, `./cdk synth -c env=dev` one environment's."""

import gc
import importlib
import json
import os
import sys
import threading

import infra

# The process lives for two seconds and makes objects all the while: collecting them is time for nothing.
gc.disable()
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def main() -> int:
    """Synthesise; 2 for a mistake of the user's, told on stderr without a stack trace."""
    infra.name_node()
    # The CDK's own process takes a while to load; meanwhile this one reads and checks the environment files.
    loading = threading.Thread(target=importlib.import_module, args=("aws_cdk",))
    loading.start()
    from environments import environment_names, load_or_exit  # noqa: PLC0415 - after the thread has started
    from infra.bundles import BundleError, Bundles  # noqa: PLC0415
    from infra.selection import selected_names  # noqa: PLC0415

    context = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))
    environments = load_or_exit(selected_names(context.get("env"), environment_names()))
    # rendered by a process of its own, unless nothing changed since the last synth
    bundles = Bundles()
    bundles.prepare(environments)
    loading.join()
    from infra.app import PropsError, build_app  # noqa: PLC0415 - needs what the thread has loaded

    try:
        build_app(environments, bundles=bundles).synth()
    except (PropsError, BundleError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
