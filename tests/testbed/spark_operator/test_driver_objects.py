import pytest

from testbed.spark_operator.driver_objects import app_name_label, memory_mib


@pytest.mark.parametrize(
    ("conf", "mib"),
    [
        ({}, 1024 + 384),
        ({"spark.driver.memory": "512m"}, 512 + 384),
        ({"spark.driver.memory": "8g"}, 8192 + 819),
        ({"spark.driver.memory": "8g", "spark.driver.memoryOverhead": "1g"}, 9216),
        ({"spark.driver.memory": "8g", "spark.driver.memoryOverhead": "300"}, 8492),
        ({"spark.driver.memory": "10g", "spark.kubernetes.memoryOverheadFactor": "0.4"}, 14336),
    ],
)
def test_memory_is_the_heap_and_a_share_of_it_and_never_less_than_384_mib_more(conf: dict[str, str], mib: int) -> None:
    assert memory_mib(conf, "driver", jvm=True) == mib


def test_a_python_job_has_four_times_the_share() -> None:
    assert memory_mib({"spark.driver.memory": "10g"}, "driver", jvm=False) == 14336


def test_a_size_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="got 'much'"):
        memory_mib({"spark.driver.memory": "much"}, "driver", jvm=True)


def test_the_label_of_the_name_is_lower_case_without_double_hyphens_and_at_most_63_long() -> None:
    assert app_name_label(" Daily__Report (v2) ") == "daily-report-v2"
    assert len(app_name_label("x" * 100)) == 63
