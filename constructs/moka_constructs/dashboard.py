"""A CloudWatch dashboard: the state of all alarms on top, then a row of graphs for each part of the platform.

The body names no resource by a token, so the dashboard refers to no other stack: what has an id that only AWS knows is found
by a search (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-search-expressions.html).
Body: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any, Final

from aws_cdk import CfnResource
from constructs import Construct

WIDTH: Final = 24
"""Columns of a dashboard."""
GRAPHS_IN_A_ROW: Final = 3
GRAPH_HEIGHT: Final = 6
MAX_ALARMS: Final = 100
"""Alarms that one alarm widget shows."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Graph:
    """One graph: metrics as the body's JSON has them, or searches."""

    title: str
    metrics: Sequence[Sequence[Any]] = ()
    """[[namespace, name, dimension, value, …, options]]."""
    searches: Sequence[str] = ()
    """Search expressions."""
    statistic: str = "Average"
    line: tuple[str, float] | None = None
    """(label, value) of a horizontal line: where the alarm is."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """A heading and its graphs."""

    title: str
    graphs: Sequence[Graph]


@dataclasses.dataclass(frozen=True, kw_only=True)
class DashboardProps:
    """A dashboard."""

    name: str
    region: str
    alarm_arns: Sequence[str]
    rows: Sequence[Row]


class Dashboard(Construct):
    """The dashboard."""

    def __init__(self, scope: Construct, construct_id: str, props: DashboardProps) -> None:
        super().__init__(scope, construct_id)
        body = json.dumps({"periodOverride": "inherit", "widgets": _widgets(props)})
        properties = {"DashboardName": props.name, "DashboardBody": body}
        CfnResource(self, "Resource", type="AWS::CloudWatch::Dashboard", properties=properties)


def _widgets(props: DashboardProps) -> list[dict[str, Any]]:
    widgets: list[dict[str, Any]] = []
    top = 0
    for start in range(0, len(props.alarm_arns), MAX_ALARMS):
        alarms = list(props.alarm_arns[start : start + MAX_ALARMS])
        height = 2 + (len(alarms) + 3) // 4
        properties = {"title": "Alarms", "alarms": alarms, "sortBy": "stateUpdatedTimestamp"}
        widgets.append({"type": "alarm", "x": 0, "y": top, "width": WIDTH, "height": height, "properties": properties})
        top += height
    for row in props.rows:
        heading = {"markdown": f"## {row.title}"}
        widgets.append({"type": "text", "x": 0, "y": top, "width": WIDTH, "height": 1, "properties": heading})
        top += 1
        width = WIDTH // GRAPHS_IN_A_ROW
        for number, graph in enumerate(row.graphs):
            place = {
                "x": number % GRAPHS_IN_A_ROW * width,
                "y": top + number // GRAPHS_IN_A_ROW * GRAPH_HEIGHT,
                "width": width,
                "height": GRAPH_HEIGHT,
            }
            widgets.append({"type": "metric", **place, "properties": _graph(graph, props.region)})
        top += -(-len(row.graphs) // GRAPHS_IN_A_ROW) * GRAPH_HEIGHT
    return widgets


def _graph(graph: Graph, region: str) -> dict[str, Any]:
    searches = [[{"expression": text, "id": f"s{number}"}] for number, text in enumerate(graph.searches, start=1)]
    properties: dict[str, Any] = {
        "title": graph.title,
        "region": region,
        "view": "timeSeries",
        "stat": graph.statistic,
        "period": 300,
        "metrics": [*map(list, graph.metrics), *searches],
        "yAxis": {"left": {"min": 0}},
    }
    if graph.line is not None:
        label, value = graph.line
        properties["annotations"] = {"horizontal": [{"label": label, "value": value}]}
    return properties
