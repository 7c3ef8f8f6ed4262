"""The options of `archer submit`; the wording of their help lives here alone.

Names follow spark-submit where it has one, so that fingers need not learn.
"""

from typing import Annotated

import typer

from archer.cli.options import duration

_WHAT, _SIZE, _WHERE, _LIMITS, _AFTER = "What to run", "How big", "Who and where", "Limits and retries", "Afterwards"

Application = Annotated[
    str | None,
    typer.Argument(metavar="APPLICATION", help="A .py or .jar: a path of this machine, or s3a://, https://, local://."),
]
Arguments = Annotated[
    list[str] | None,
    typer.Argument(metavar="-- ARGUMENT", help="The application's own arguments, after --."),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help="A whole submission as JSON or YAML; - reads standard input. Options override it.",
        rich_help_panel=_WHAT,
    ),
]
Name = Annotated[
    str | None,
    typer.Option(
        "--name", help="The job's name. By default the name of the application's file.", rich_help_panel=_WHAT
    ),
]
MainClass = Annotated[
    str | None,
    typer.Option("--main-class", "--class", metavar="CLASS", help="The class to run in a .jar.", rich_help_panel=_WHAT),
]
PyFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--py-files",
        metavar="FILE",
        help="Python files or archives to import from; repeat, or separate by commas.",
        rich_help_panel=_WHAT,
    ),
]
Jars = Annotated[
    list[str] | None,
    typer.Option("--jars", metavar="FILE", help="Jars for the class path; likewise.", rich_help_panel=_WHAT),
]
Files = Annotated[
    list[str] | None,
    typer.Option("--files", metavar="FILE", help="Files for the working directory; likewise.", rich_help_panel=_WHAT),
]
Archives = Annotated[
    list[str] | None,
    typer.Option("--archives", metavar="FILE#NAME", help="Archives to unpack there; likewise.", rich_help_panel=_WHAT),
]
Conf = Annotated[
    list[str] | None,
    typer.Option("--conf", metavar="KEY=VALUE", help="A Spark setting; repeat for more.", rich_help_panel=_WHAT),
]
Env = Annotated[
    list[str] | None,
    typer.Option(
        "--env", metavar="KEY=VALUE", help="An environment variable of the job; repeat for more.", rich_help_panel=_WHAT
    ),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter", metavar="KEY=VALUE", help="A parameter of the profile; repeat for more.", rich_help_panel=_WHAT
    ),
]
SparkVersion = Annotated[
    str | None, typer.Option("--spark-version", metavar="VERSION", help="The Spark to run on.", rich_help_panel=_WHAT)
]
Image = Annotated[
    str | None, typer.Option("--image", metavar="IMAGE", help="The container image to run in.", rich_help_panel=_WHAT)
]
Profile = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="A named set of settings.", rich_help_panel=_WHAT)
]
DriverMemory = Annotated[
    str | None,
    typer.Option(
        "--driver-memory", metavar="SIZE", help="The driver's heap, such as 512m or 2g.", rich_help_panel=_SIZE
    ),
]
DriverMemoryOverhead = Annotated[
    str | None,
    typer.Option(
        "--driver-memory-overhead", metavar="SIZE", help="The driver's memory beside the heap.", rich_help_panel=_SIZE
    ),
]
DriverCores = Annotated[
    int | None, typer.Option("--driver-cores", metavar="N", help="The driver's cores.", rich_help_panel=_SIZE)
]
ExecutorMemory = Annotated[
    str | None,
    typer.Option("--executor-memory", metavar="SIZE", help="The heap of each executor.", rich_help_panel=_SIZE),
]
ExecutorMemoryOverhead = Annotated[
    str | None,
    typer.Option(
        "--executor-memory-overhead",
        metavar="SIZE",
        help="Each executor's memory beside the heap.",
        rich_help_panel=_SIZE,
    ),
]
ExecutorCores = Annotated[
    int | None, typer.Option("--executor-cores", metavar="N", help="The cores of each executor.", rich_help_panel=_SIZE)
]
Executors = Annotated[
    int | None, typer.Option("--executors", metavar="N", help="How many executors.", rich_help_panel=_SIZE)
]
MinExecutors = Annotated[
    int | None,
    typer.Option(
        "--min-executors", metavar="N", help="With --max-executors: how many to keep at least.", rich_help_panel=_SIZE
    ),
]
MaxExecutors = Annotated[
    int | None,
    typer.Option(
        "--max-executors",
        metavar="N",
        help="Dynamic allocation: how many at most; --executors is the number to start with.",
        rich_help_panel=_SIZE,
    ),
]
Capacity = Annotated[
    str | None,
    typer.Option("--capacity", metavar="KIND", help="Nodes for executors: on_demand or spot.", rich_help_panel=_SIZE),
]
Architecture = Annotated[
    str | None,
    typer.Option(
        "--architecture", metavar="NAME", help="amd64 or arm64, when the job is made for one.", rich_help_panel=_WHERE
    ),
]
Shuffle = Annotated[
    str | None,
    typer.Option("--shuffle", metavar="PLACE", help="Shuffle data on disk, or in celeborn.", rich_help_panel=_SIZE),
]
Priority = Annotated[
    int | None,
    typer.Option(
        "--priority",
        metavar="N",
        help="-100 to 100: the higher, the earlier it starts among the jobs of its queue.",
        rich_help_panel=_WHERE,
    ),
]
Team = Annotated[
    str | None, typer.Option("--team", metavar="TEAM", help="The team that the job belongs to.", rich_help_panel=_WHERE)
]
Queue = Annotated[
    str | None,
    typer.Option(
        "--queue",
        metavar="QUEUE",
        help="The queue to wait in, by default the environment's default queue.",
        rich_help_panel=_WHERE,
    ),
]
User = Annotated[
    str | None,
    typer.Option("--user", metavar="USER", help="Who submits. By default your login name.", rich_help_panel=_WHERE),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster", metavar="NAME", help="The cluster to run on, instead of Archer's choice.", rich_help_panel=_WHERE
    ),
]
Label = Annotated[
    list[str] | None,
    typer.Option(
        "--label", metavar="KEY=VALUE", help="A label to find the job by; repeat for more.", rich_help_panel=_WHERE
    ),
]
QueueTimeout = Annotated[
    float | None,
    typer.Option(
        "--queue-timeout",
        parser=duration,
        metavar="DURATION",
        help="Fail the job when it has waited in the queue this long.",
        rich_help_panel=_LIMITS,
    ),
]
StartTimeout = Annotated[
    float | None,
    typer.Option(
        "--start-timeout",
        parser=duration,
        metavar="DURATION",
        help="Fail an attempt that has not started after this long.",
        rich_help_panel=_LIMITS,
    ),
]
RunTimeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        "--run-timeout",
        parser=duration,
        metavar="DURATION",
        help="End an attempt that has run this long; the job fails.",
        rich_help_panel=_LIMITS,
    ),
]
MaxAttempts = Annotated[
    int | None,
    typer.Option("--max-attempts", metavar="N", help="How often to try in all, 1 to 10.", rich_help_panel=_LIMITS),
]
IdempotencyKey = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key",
        metavar="KEY",
        help="The same key and submission give the same job, however often sent. By default one key per command.",
        rich_help_panel=_LIMITS,
    ),
]
Wait = Annotated[
    bool,
    typer.Option(
        "--wait", help="Wait for the end, show progress, and exit 1 unless the job SUCCEEDED.", rich_help_panel=_AFTER
    ),
]
WaitTimeout = Annotated[
    float | None,
    typer.Option(
        "--wait-timeout",
        parser=duration,
        metavar="DURATION",
        help="How long --wait waits before it exits 5; the job goes on.",
        rich_help_panel=_AFTER,
    ),
]
