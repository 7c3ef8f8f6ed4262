"""Which options of the JVM a job may set. Pure.

The words stand on Spark's own command line, before its main class. So a word that isn't an option would be taken for the
class to start, and some options make the JVM print something and leave with exit code 0: a job that never ran would have
succeeded. What is let in is what configures a JVM that goes on to run Spark.
"""

import re
import shlex
from collections.abc import Iterator

from archer.errors import Problem
from archer.problems import shown

_ALLOWED = re.compile(
    r"-(?:D|X.|javaagent:|agentlib:|agentpath:|verbose\b|server$|(?:ea|da|esa|dsa|enableassertions|disableassertions)\b)"
    r"|--(?:add-(?:opens|exports|reads|modules)|limit-modules|enable-native-access)="
    r"|--(?:enable-preview|illegal-access=\w+)$"
)
"""https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html"""

_LEAVES = re.compile(
    r"-X(?:internalversion|share:dump|log:help.*|X:\+PrintFlags(?:Initial|WithComments)|run\w+:help)$"
    r"|-agentlib:\w+=help$"
)
"""Print something, then end the JVM with exit code 0."""

_HEAP = re.compile(r"-X(?:mx|X:MaxHeapSize=)")


def problems(path: str, value: str) -> Iterator[Problem]:
    """At most one problem of a property's value, `path` being where it stands in the submission."""
    try:
        words = shlex.split(value)
    except ValueError as error:
        yield _problem(path, value, "words as a shell reads them", f"close the quotation ({error})")
        return
    for word in words:
        if _HEAP.match(word):
            yield _problem(path, value, "free of -Xmx", "use the field `driver.memory`")
        elif _LEAVES.match(word) or not _ALLOWED.match(word):
            fix = "leave it out (a value belongs to its option with `=`, as in --add-opens=java.base/java.lang=ALL-UNNAMED)"
            yield _problem(path, word, "options with which a JVM starts and runs a program", fix)
        else:
            continue
        return


def _problem(path: str, value: str, allowed: str, fix: str) -> Problem:
    return Problem(path=path, value=shown(value), allowed=allowed, fix=fix)
