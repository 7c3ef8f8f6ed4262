import pytest

from environments import load
from testbed.operator_chart import OperatorChart
from testbed.spark_operator.options import parse


@pytest.mark.parametrize("name", ["test", "dev", "staging", "prod"])
def test_the_charts_arguments_start_the_stand_in(name: str) -> None:
    environment = load(name)
    for cluster in environment.clusters:
        chart = OperatorChart.of(environment, cluster)
        options = parse(chart.arguments)
        assert options.namespaces == chart.job_namespaces
        assert options.driver_pod_creation_grace_period == 60
        assert options.workqueue_longest_delay == 30
        assert options.max_tracked_executor_per_app == 1
        assert not options.enable_ui_service
        assert options.metrics_labels == ("namespace", "queue")
        assert options.leader_election


def test_the_defaults_are_the_binarys_own_and_not_the_helm_charts() -> None:
    options = parse(["controller", "start", "--namespaces=spark-ads"])
    assert (options.workqueue_qps, options.workqueue_burst) == (10, 100)
    assert (options.kube_api_qps, options.kube_api_burst) == (20, 30)
    assert options.driver_pod_creation_grace_period == 10
    assert options.enable_ui_service


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--driver-pod-creation-grace=60s", "unrecognized arguments: --driver-pod-creation-grace=60s"),
        ("--enable-ui-service=no", "must be true or false, got 'no'"),
        ("--driver-pod-creation-grace-period=60", "must be a duration such as 30s or 1h30m, got '60'"),
        ("--namespaces=", "must name at least one namespace"),
        ("--namespaces=spark-ads,", "must name at least one namespace"),
    ],
)
def test_a_wrong_argument_is_refused_with_what_is_allowed(
    capsys: pytest.CaptureFixture[str], argument: str, said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["controller", "start", "--namespaces=spark-ads", argument])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("2m", 120), ("1h30m", 5400), ("250ms", 0.25)])
def test_durations_are_gos(text: str, seconds: float) -> None:
    given = ["controller", "start", "--namespaces=x", f"--driver-pod-creation-grace-period={text}"]
    assert parse(given).driver_pod_creation_grace_period == seconds
