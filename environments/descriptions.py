"""Descriptions of fields: the docstrings under them, read from the source when a page or a message wants them.

pydantic can do this for every class as it is made (`use_attribute_docstrings`), at a third of the model's import time;
a synth never prints a description, so it does not pay for them.
"""

import ast
import functools
import inspect
import sys

from environments.base import Section


def description(section: type[Section], field: str) -> str:
    """Return what the docstring under a field says, empty when there is none."""
    return _descriptions(section.__module__).get(section.__name__, {}).get(field, "")


@functools.cache
def _descriptions(module: str) -> dict[str, dict[str, str]]:
    """Return `{"Pool": {"role": "What runs there. …"}}` of a module."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: dict(_of_class(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _of_class(node: ast.ClassDef) -> list[tuple[str, str]]:
    """Return the fields of a class whose next statement is a string."""
    found = []
    for statement, after in zip(node.body, node.body[1:], strict=False):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
            found.append((statement.target.id, inspect.cleandoc(after.value.value)))
    return found
