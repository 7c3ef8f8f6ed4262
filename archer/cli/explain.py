"""`archer explain`: what a submission would become on a cluster, and where each value comes from. Asks no server.

It takes the options of `archer submit`, so a command line is explained by changing one word of it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from archer.cli import submit
from archer.cli.options import Output
from archer.cli.output import OutputFormat, say, write, write_columns, write_json, write_pairs
from archer.client_errors import RequestRefusedError
from archer.retries import TOP_RUNG

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="ARCHER_CONFIG",
        metavar="FILE",
        help="The environment's archer.yaml, from `moka render`.",
    ),
]
MemoryRung = Annotated[
    float,
    typer.Option(
        "--memory-rung",
        metavar="N",
        min=1,
        max=int(TOP_RUNG),
        help=f"The rung of the memory ladder, 1 to {TOP_RUNG:g}.",
    ),
]


@submit.takes_a_submission
def explain(
    *,
    config: Config = None,
    memory_rung: MemoryRung = 1.0,
    output: Output = OutputFormat.TABLE,
    **words: Any,
) -> None:
    """Show the SparkApplication that a submission would become, and where each value comes from; submit nothing.

    archer explain s3a://jobs/report.py --team ads --config archer.yaml takes every option of `submit`, or a file with
    --from. Without --cluster it is the first cluster that the team may use. No server is asked; everything that the
    environment or the cluster would refuse is told at once.
    """
    if config is None:
        raise RequestRefusedError(
            "no environment; name its archer.yaml with --config or ARCHER_CONFIG (`moka render ENV` writes it)"
        )
    # a command that talks to a server must not wait for what only this one needs
    from archer.cli.explanation import explained  # noqa: PLC0415

    found, remarks = explained(submit.body_of(words), config=config, memory_rung=memory_rung)
    for remark in remarks:
        say(remark)
    if output is OutputFormat.JSON:
        write_json(found)
    else:
        _write_tables(found)


def _write_tables(found: Mapping[str, Any]) -> None:
    sizes = found["sizes"]
    write_pairs([("cluster", found["cluster"]), *_totals(sizes), ("memory rung", f"{sizes['memory_rung']:g}")])
    write_pairs([("highest rung", f"{found['highest_memory_rung']:g}")])
    write("\n")
    titles = ("POD", "POOL", "CORES", "HEAP MIB", "OVERHEAD MIB", "OTHER MIB", "FROM")
    write_columns(titles, [_pod_row(found, role) for role in ("driver", "executor")])
    write("\n")
    rows = [
        (key, setting["value"], setting["layer"], _covered(setting["overrode"]))
        for key, setting in found["conf"].items()
    ]
    write_columns(("PROPERTY", "VALUE", "FROM", "OVER"), rows)
    # PyYAML costs 20 ms that only this path should pay
    import yaml  # noqa: PLC0415

    write("\n---\n" + yaml.safe_dump(found["manifest"], sort_keys=False, allow_unicode=True, width=120))


def _totals(sizes: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    executor = sizes["executor"]
    number = f"{executor['instances']}"
    if executor["least"] != executor["most"]:
        number += f" at the start, {executor['least']} to {executor['most']}"
    return [("executors", number), ("at most", f"{sizes['vcores']} vCPU, {sizes['memory_mib']} MiB")]


def _pod_row(found: Mapping[str, Any], role: str) -> Sequence[str]:
    size, place = found["sizes"][role], found["places"][role]
    origins = ", ".join(f"{field} {origin}" for field, origin in size["origins"].items())
    pool = f"{place['pool']} ({place['architecture']}, {place['capacity']})"
    other = size["off_heap_mib"] + size["python_mib"]
    return (role, pool, *(str(size[key]) for key in ("cores", "heap_mib", "overhead_mib")), str(other), origins)


def _covered(overrode: Sequence[Mapping[str, str]]) -> str:
    return ", ".join(f"{each['layer']} {each['value']}" for each in reversed(overrode))
