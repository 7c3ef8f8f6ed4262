from environments import load
from testbed.operator_chart import OperatorChart
from testbed.real_spark_webhook import registration_at, service_to_here


def _chart() -> OperatorChart:
    environment = load("test")
    return OperatorChart.of(environment, environment.clusters[0])


def test_the_registration_is_the_charts_but_for_the_port() -> None:
    chart = _chart()
    moved = registration_at(chart, 23456)
    assert moved != chart.webhook_configuration
    for webhook in moved["webhooks"]:
        assert webhook["clientConfig"]["service"].pop("port") == 23456
    for webhook in chart.webhook_configuration["webhooks"]:
        del webhook["clientConfig"]["service"]["port"]
    assert moved == chart.webhook_configuration


def test_the_service_that_the_registration_calls_leads_to_this_machine_alone() -> None:
    service = service_to_here(23456)
    called = {
        (each["clientConfig"]["service"]["namespace"], each["clientConfig"]["service"]["name"])
        for each in registration_at(_chart(), 23456)["webhooks"]
    }
    assert called == {(service["metadata"]["namespace"], service["metadata"]["name"])}
    assert service["spec"]["externalName"] == "127.0.0.1"
    assert service["spec"]["ports"] == [{"port": 23456}]
