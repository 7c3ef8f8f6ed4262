"""Memory as Spark writes it."""

import pytest

from archer import memory


@pytest.mark.parametrize(
    ("text", "mib"),
    [("1g", 1024), ("512m", 512), ("2G", 2048), ("1t", 1024 * 1024), ("2048k", 2), ("1gb", 1024), ("3MB", 3)],
)
def test_sizes_are_read_as_spark_reads_them(text: str, mib: int) -> None:
    assert memory.parse_mib(text) == mib


@pytest.mark.parametrize("text", ["", "1", "g", "1.5g", "-1g", "1x", "1 g", "1000k", "0g", "٣g"])
def test_what_spark_would_not_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"memory size|less than one"):
        memory.parse_mib(text)


@pytest.mark.parametrize(
    ("heap", "python", "total"),
    [
        ("1g", False, 1024 + 384),
        ("10g", False, 10240 + 1024),
        # 40 % for Python, where the workers live outside the heap
        ("512m", True, 512 + 384),
        ("2g", True, 2048 + 819),
    ],
)
def test_overhead_is_what_spark_on_kubernetes_adds(heap: str, python: bool, total: int) -> None:
    assert memory.with_overhead_mib(heap, None, python=python) == total


def test_an_overhead_that_is_given_is_the_overhead() -> None:
    assert memory.with_overhead_mib("1g", "100m", python=True) == 1124
