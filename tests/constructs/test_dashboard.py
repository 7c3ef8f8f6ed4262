import json
from typing import Any

from moka_constructs import Dashboard, DashboardProps, Graph, Row


def widgets(template: Any, only: Any, alarms: int, *rows: Row) -> list[dict[str, Any]]:
    props = DashboardProps(
        name="moka-x", region="us-east-1", alarm_arns=[f"arn:{number}" for number in range(alarms)], rows=rows
    )
    resource = only(template(lambda stack: Dashboard(stack, "Board", props)), "AWS::CloudWatch::Dashboard")
    found: list[dict[str, Any]] = json.loads(resource["Properties"]["DashboardBody"])["widgets"]
    return found


def test_more_alarms_than_a_widget_shows_get_another_widget(template: Any, only: Any) -> None:
    found = widgets(template, only, 101)

    assert [len(each["properties"]["alarms"]) for each in found] == [100, 1]
    assert found[1]["y"] == found[0]["y"] + found[0]["height"]


def test_three_graphs_fill_a_row_and_the_fourth_begins_the_next(template: Any, only: Any) -> None:
    graphs = [Graph(title=f"G{number}", searches=["SEARCH('x', 'Sum')"]) for number in range(4)]
    heading, *placed, after = widgets(template, only, 0, Row(title="One", graphs=graphs), Row(title="Two", graphs=[]))

    assert heading["properties"]["markdown"] == "## One"
    assert [(each["x"], each["y"]) for each in placed] == [(0, 1), (8, 1), (16, 1), (0, 7)]
    assert after["y"] == 13


def test_a_graph_carries_metrics_searches_and_the_line_of_the_alarm(template: Any, only: Any) -> None:
    graph = Graph(title="G", metrics=[["AWS/X", "N", "D", "v"]], searches=["SEARCH('x', 'Sum')"], line=("alarm", 9))
    properties = widgets(template, only, 0, Row(title="One", graphs=[graph]))[1]["properties"]

    assert properties["metrics"] == [["AWS/X", "N", "D", "v"], [{"expression": "SEARCH('x', 'Sum')", "id": "s1"}]]
    assert properties["annotations"] == {"horizontal": [{"label": "alarm", "value": 9}]}
