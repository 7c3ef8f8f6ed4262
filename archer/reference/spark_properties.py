"""`archer-spark-properties.md`: what a job may not set, with the reason, and who may say what."""

from collections.abc import Mapping

from archer.reference.markdown import GENERATED, member_docs, table
from archer.reserved import RESERVED_CONF, RESERVED_ENVIRONMENT, RESERVED_ON_KUBERNETES
from archer.spark_application.layers import Layer
from archer.spark_application.names import RESERVED_LABELS


def spark_properties_page() -> str:
    """The whole page, Markdown."""
    return f"""# Spark properties that Archer keeps to itself

{GENERATED}

A submission that sets one of these is refused, and told what to do instead: to overwrite it in silence would be worse. A `*` stands
for any end of the key. [How a manifest is made](../concepts/spark-application.md) tells what Archer sets.

## Layers

A later layer wins. `archer explain` shows for each property which layer it is from and what it covers.

{layers_table()}

## On every backend

{_table("property", RESERVED_CONF)}

## On Kubernetes

Refused also in `spark.conf`, in a team's `conf` and in a profile's. The list holds all that the Spark operator's webhook refuses.

{_table("property", RESERVED_ON_KUBERNETES)}

## Variables

{_table("variable", RESERVED_ENVIRONMENT)}

## Labels, on Kubernetes

Labels of a job become labels of its pods. A key that is one of these, or begins with one that ends in `/` or `-`, is refused.

{_table("label", RESERVED_LABELS)}
"""


def layers_table() -> str:
    """The layers, the lowest first."""
    docs = member_docs(Layer)
    return table(("layer", "who says it"), [(f"`{layer.value}`", docs[layer.name]) for layer in Layer])


def _table(what: str, reserved: Mapping[str, str]) -> str:
    return table((what, "instead"), [(f"`{key}`", reason) for key, reason in reserved.items()])
