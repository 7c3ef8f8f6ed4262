"""Entry of the CDK: `./cdk synth` makes every environment's stacks, `./cdk synth -c env=dev` one environment's."""

import gc
import json
import os
import sys

from environments import environment_names, load_or_exit
from infra.selection import selected_names


def main() -> int:
    """Synthesise; 2 for a mistake of the user's, told on stderr without a stack trace."""
    context = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))
    environments = load_or_exit(selected_names(context.get("env"), environment_names()))

    # The process lives for two seconds and makes objects all the while: collecting them is time for nothing.
    gc.disable()
    from infra.app import PropsError, build_app  # noqa: PLC0415 - a refused file need not wait for the CDK

    try:
        build_app(environments).synth()
    except PropsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
