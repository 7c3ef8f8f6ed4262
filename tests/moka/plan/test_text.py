from __future__ import annotations

import io

from moka.assembly import SynthesizedStack
from moka.output import write
from moka.plan import make_plan
from moka.plan.text import plan_text

from .conftest import bucket, stack


def lines(stacks: list[SynthesizedStack], concurrency: int | None = None) -> list[str]:
    stream = io.StringIO()
    write(plan_text(make_plan(stacks), concurrency), stream)
    return stream.getvalue().splitlines()


def test_the_report_says_totals_stacks_critical_path_and_order(demo: list[SynthesizedStack]) -> None:
    said = lines(demo)

    assert said[:4] == [
        "Plan of demo (111111111111, us-east-1)",
        "4 stacks, 8 resources. A first deploy typically takes:",
        "  18.2 minutes with 2 stacks at a time; more at a time is no faster",
        "  18.5 minutes with one stack after another",
    ]
    assert "   2  cluster-c          4     1.3    9.3  10.7  network" in said
    assert "   3  archer             1    10.7    7.5  18.2  data, cluster-c" in said
    assert ["9.0", "10.7", "Cluster", "(EKS::Cluster)", "stated"] in [line.split() for line in said]
    assert "1. foundation: 10.7 minutes" in said
    assert "   moka images push demo" in said


def test_another_number_at_a_time_has_its_own_total_and_times(demo: list[SynthesizedStack]) -> None:
    said = lines(demo, concurrency=1)

    assert "  18.5 minutes with 1 stack at a time, as asked for and shown below" in said
    assert "   2  cluster-c          4     1.7    9.3  11.0  network" in said


def test_no_line_is_wider_than_a_terminal_of_80_columns(demo: list[SynthesizedStack]) -> None:
    assert [line for line in lines(demo) if len(line) > 80] == []


def test_estimates_are_called_estimates(demo: list[SynthesizedStack]) -> None:
    assert "0 of the 5 figures on the critical path are estimates (0.0 min)." in lines(demo)

    said = lines([stack("data", {"Bucket": bucket(), "Other": bucket(DependsOn="Bucket")})])

    assert [line.split()[-1] for line in said if "(S3::Bucket)" in line] == ["estimate", "estimate"]
    assert "2 of the 2 figures on the critical path are estimates (0.7 min)." in said
