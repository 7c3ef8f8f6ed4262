"""`archer submit`: one job, from options, from a file, or from both."""

import inspect
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, get_type_hints

from typer.core import TyperCommand

from archer.cli import submit_options as given
from archer.cli.credentials import given_token
from archer.cli.options import DEFAULT_URL, Output, Url, pairs
from archer.cli.output import OutputFormat, say, write, write_json
from archer.cli.submission import absolute, absolute_all, completed, merged, read_submission
from archer.cli.waiting import conclude, connect, wait_with_progress
from archer.client import Submitted
from archer.client_errors import Json, RequestRefusedError

_END_OF_OPTIONS = "--"
_AFTERWARDS: Final = frozenset({"wait", "wait_timeout", "output", "url"})
"""Options that are about what follows a submission."""


class SubmitCommand(TyperCommand):
    """Hands every word after the first `--` to the application, also when --from names the application file."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        end = args.index(_END_OF_OPTIONS) if _END_OF_OPTIONS in args else len(args)
        rest = super().parse_args(ctx, args[:end])
        ctx.params["arguments"] = [*(ctx.params.get("arguments") or ()), *args[end + 1 :]]
        return rest


def submit(
    *,
    application: given.Application = None,
    arguments: given.Arguments = None,
    source: given.From = None,
    name: given.Name = None,
    main_class: given.MainClass = None,
    py_files: given.PyFiles = None,
    jars: given.Jars = None,
    files: given.Files = None,
    archives: given.Archives = None,
    conf: given.Conf = None,
    env: given.Env = None,
    parameter: given.Parameters = None,
    spark_version: given.SparkVersion = None,
    image: given.Image = None,
    profile: given.Profile = None,
    driver_memory: given.DriverMemory = None,
    driver_memory_overhead: given.DriverMemoryOverhead = None,
    driver_cores: given.DriverCores = None,
    executor_memory: given.ExecutorMemory = None,
    executor_memory_overhead: given.ExecutorMemoryOverhead = None,
    executor_cores: given.ExecutorCores = None,
    executors: given.Executors = None,
    min_executors: given.MinExecutors = None,
    max_executors: given.MaxExecutors = None,
    capacity: given.Capacity = None,
    shuffle: given.Shuffle = None,
    architecture: given.Architecture = None,
    team: given.Team = None,
    queue: given.Queue = None,
    priority: given.Priority = None,
    user: given.User = None,
    cluster: given.Cluster = None,
    label: given.Label = None,
    queue_timeout: given.QueueTimeout = None,
    start_timeout: given.StartTimeout = None,
    run_timeout: given.RunTimeout = None,
    max_attempts: given.MaxAttempts = None,
    idempotency_key: given.IdempotencyKey = None,
    wait: given.Wait = False,
    wait_timeout: given.WaitTimeout = None,
    output: Output = OutputFormat.TABLE,
    url: Url = DEFAULT_URL,
) -> None:
    """Submit a Spark job and print its id.

    archer submit job.py -- --day 2026-11-23 submits job.py and hands it the words after --. Relative paths are taken
    from here, or for --from from the file's folder. A submission is sent again when the connection breaks, under one
    idempotency key, so that it never becomes two jobs.
    """
    body = body_of(locals())
    _send(body, output=output, url=url, wait=wait, wait_timeout=wait_timeout)


def body_of(words: Mapping[str, Any]) -> Json:
    """The submission that a command's options make, on top of the file that --from names.

    Raises RequestRefusedError when there is nothing to run.
    """
    # one line per option here and in the signature: together they are the table of options and fields
    options: Json = {
        "name": words["name"],
        "application": {
            "file": absolute(words["application"]) if words["application"] else None,
            "main_class": words["main_class"],
            "arguments": words["arguments"] or None,
            "py_files": absolute_all(words["py_files"]),
            "jars": absolute_all(words["jars"]),
            "files": absolute_all(words["files"]),
            "archives": absolute_all(words["archives"]),
        },
        "conf": pairs("--conf", words["conf"] or ()),
        "environment": pairs("--env", words["env"] or ()),
        "parameters": pairs("--parameter", words["parameter"] or ()),
        "spark_version": words["spark_version"],
        "image": words["image"],
        "profile": words["profile"],
        "driver": {
            "memory": words["driver_memory"],
            "memory_overhead": words["driver_memory_overhead"],
            "cores": words["driver_cores"],
        },
        "executor": {
            "memory": words["executor_memory"],
            "memory_overhead": words["executor_memory_overhead"],
            "cores": words["executor_cores"],
            "instances": words["executors"],
            "min_instances": words["min_executors"],
            "max_instances": words["max_executors"],
            "capacity": words["capacity"],
        },
        "shuffle": words["shuffle"],
        "architecture": words["architecture"],
        "team": words["team"],
        "queue": words["queue"],
        "priority": words["priority"],
        "user": words["user"],
        "cluster": words["cluster"],
        "labels": pairs("--label", words["label"] or ()),
        "timeouts": {
            "queue_seconds": _whole(words["queue_timeout"]),
            "start_seconds": _whole(words["start_timeout"]),
            "run_seconds": _whole(words["run_timeout"]),
        },
        "retry": {"max_attempts": words["max_attempts"]},
        "idempotency_key": words["idempotency_key"],
    }
    if words["source"] is None and not words["application"]:
        raise RequestRefusedError("nothing to run; name an application, or a submission with --from")
    base = {} if words["source"] is None else read_submission(words["source"], sys.stdin)
    # with a token the server knows who submits
    return completed(merged(base, options), named=given_token() is None)


def takes_a_submission(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that ends in `**words` the parameters that make a submission, for `body_of`, in place of these."""
    theirs = inspect.signature(submit).parameters
    own = inspect.signature(command).parameters
    taken = [parameter for name, parameter in theirs.items() if name not in _AFTERWARDS]
    kept = [parameter for parameter in own.values() if parameter.kind is not inspect.Parameter.VAR_KEYWORD]
    signature = inspect.Signature([*taken, *kept], return_annotation=None)
    hints = get_type_hints(submit, include_extras=True) | get_type_hints(command, include_extras=True)
    command.__dict__["__signature__"] = signature
    command.__annotations__ = {name: hints[name] for name in signature.parameters}
    return command


def _send(body: Json, *, output: OutputFormat, url: str, wait: bool, wait_timeout: float | None) -> None:
    with connect(url) as client:
        submitted = client.submit(body)
    _announce(submitted, url)
    job = submitted.job
    if output is OutputFormat.TABLE:
        # at once, so that a script that is stopped while waiting knows its job
        write(f"{job['id']}\n")
    if not wait:
        if output is OutputFormat.JSON:
            write_json(job)
        return
    jobs = wait_with_progress(url, [job["id"]], wait_timeout)
    if output is OutputFormat.JSON:
        write_json(jobs[0])
    conclude(jobs)


def _announce(submitted: Submitted, url: str) -> None:
    job = submitted.job
    if submitted.replayed:
        say(f"this idempotency key was used before: it is {job['id']}, now {job['state']}; nothing new was submitted")
    else:
        say(f"submitted {job['name']} as {job['id']} to queue {job['queue']}")
    if page := job["links"].get("page"):
        say(f"its page: {url.rstrip('/')}{page}")


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else math.ceil(seconds)
