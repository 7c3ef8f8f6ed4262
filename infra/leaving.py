"""Ends the process of a synth as soon as it has written the templates.

At its end Python frees every object one by one, and the AWS libraries are hundreds of thousands of them: a quarter of a second
for what the system does at once. Exit handlers run as always, jsii's among them, which stops the CDK's own process.
"""

import atexit
import os
import sys
from collections.abc import Callable
from typing import NoReturn


def run_and_leave(main: Callable[[], int]) -> NoReturn:
    """Call `main` and end the process with the exit code that it returns; an exception ends it in Python's usual way."""
    codes: list[int] = []
    # handlers run in the reverse order of their registration: this one after all that `main` makes others register
    atexit.register(_leave, codes)
    codes.append(main())
    sys.exit(codes[0])


def _leave(codes: list[int]) -> None:
    if codes:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(codes[0])
