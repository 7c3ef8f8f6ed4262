import math
from pathlib import Path

import pytest
import yaml

from testbed.spark_operator.spark_submit import POD_DELAY, command_line, parse, pod_delay
from testbed.spark_operator.submission import Submission


def _command(folder: Path, *more: str) -> list[str]:
    for role in ("driver", "executor"):
        (folder / role).write_text(yaml.safe_dump({"spec": {"containers": [{"name": role}]}}))
    templates = [f"--conf=spark.kubernetes.{role}.podTemplateFile={folder / role}" for role in ("driver", "executor")]
    start = ["--master", "k8s://https://127.0.0.1:6443", "--deploy-mode", "cluster", "--name", "daily"]
    return [*start, "--conf", "spark.kubernetes.namespace=spark-ads", *templates, *more]


def test_the_operators_command_line_is_read_back(tmp_path: Path) -> None:
    options = ["--class", "Job", "--conf", "spark.driver.extraJavaOptions=-Dkey=value"]
    submission = parse(_command(tmp_path, *options, "local:///job.py", "--own-flag", "1"))
    assert (submission.name, submission.namespace, submission.main_class) == ("daily", "spark-ads", "Job")
    assert submission.conf["spark.driver.extraJavaOptions"] == "-Dkey=value"
    assert (submission.main_file, submission.arguments) == ("local:///job.py", ("--own-flag", "1"))
    assert submission.driver_template["spec"]["containers"][0]["name"] == "driver"


def test_what_is_written_for_spark_submit_is_what_it_reads(tmp_path: Path) -> None:
    submission = Submission(
        name="daily",
        namespace="spark-ads",
        conf={"spark.kubernetes.namespace": "spark-ads", "spark.driver.extraJavaOptions": "-Da=b -Dc"},
        driver_template={"metadata": {"finalizers": ["archer.moka.dev/outcome"]}},
        executor_template={"spec": {}},
        main_class="Job",
        main_file="local:///job.jar",
        arguments=("--own-flag", "a b"),
    )
    assert parse(command_line(submission, master="https://127.0.0.1:6443", folder=tmp_path)) == submission


def test_another_deploy_mode_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["client" if word == "cluster" else word for word in _command(tmp_path)]
    with pytest.raises(SystemExit) as ended:
        parse(command)
    assert ended.value.code == 2
    assert "invalid choice: 'client'" in capsys.readouterr().err


@pytest.mark.parametrize(("stated", "seconds"), [(None, 0.0), ("1.5", 1.5), ("never", math.inf)])
def test_the_driver_pod_may_come_later_or_never(stated: str | None, seconds: float) -> None:
    conf = {} if stated is None else {f"spark.kubernetes.driver.annotation.{POD_DELAY}": stated}
    assert pod_delay(conf) == seconds
