"""Entry of the CDK: `./cdk synth` makes every environment's stacks, `./cdk synth -c env=dev` one environment's."""

import json
import os
import sys

from environments import environment_names, load
from infra.selection import SelectionError, selected_names


def main() -> int:
    """Synthesise; 2 for a mistake of the user's, told in a sentence."""
    context = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))
    try:
        chosen = selected_names(context.get("env"), environment_names())
    except SelectionError as error:
        print(f"moka: {error}", file=sys.stderr)  # noqa: T201 - the CDK's entry has no other voice
        return 2
    environments = [load(name) for name in chosen]

    from infra.app import build_app  # noqa: PLC0415 - importing the CDK takes a second that a refusal need not wait for

    build_app(environments).synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
