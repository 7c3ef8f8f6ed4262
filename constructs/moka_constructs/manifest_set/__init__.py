"""Delivers rendered manifests to a cluster during `cdk deploy` (decision D9): one small Lambda function per cluster, sets behind it.

`ManifestFunction` is the function with everything that it may do, `ManifestSet` one set of manifests as a custom resource that
calls it. `handler` is the function's code; it is loaded without this library's AWS parts, because `moka apply` uses it as well.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moka_constructs.manifest_set.function import ManifestFunction, ManifestFunctionProps
    from moka_constructs.manifest_set.resource import ManifestSet, ManifestSetProps

_HOMES = {
    "ManifestFunction": "function",
    "ManifestFunctionProps": "function",
    "ManifestSet": "resource",
    "ManifestSetProps": "resource",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


__all__ = ["ManifestFunction", "ManifestFunctionProps", "ManifestSet", "ManifestSetProps"]
