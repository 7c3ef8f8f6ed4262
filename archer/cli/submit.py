"""`archer submit`: one job, from options, from a file, or from both."""

import math
import sys
from typing import Any

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
    team: given.Team = None,
    queue: given.Queue = None,
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
    # one line per option here and above: together they are the table of options and fields
    options: Json = {
        "name": name,
        "application": {
            "file": absolute(application) if application else None,
            "main_class": main_class,
            "arguments": arguments or None,
            "py_files": absolute_all(py_files),
            "jars": absolute_all(jars),
            "files": absolute_all(files),
            "archives": absolute_all(archives),
        },
        "conf": pairs("--conf", conf or ()),
        "environment": pairs("--env", env or ()),
        "parameters": pairs("--parameter", parameter or ()),
        "spark_version": spark_version,
        "image": image,
        "profile": profile,
        "driver": {"memory": driver_memory, "memory_overhead": driver_memory_overhead, "cores": driver_cores},
        "executor": {
            "memory": executor_memory,
            "memory_overhead": executor_memory_overhead,
            "cores": executor_cores,
            "instances": executors,
        },
        "team": team,
        "queue": queue,
        "user": user,
        "cluster": cluster,
        "labels": pairs("--label", label or ()),
        "timeouts": {
            "queue_seconds": _whole(queue_timeout),
            "start_seconds": _whole(start_timeout),
            "run_seconds": _whole(run_timeout),
        },
        "retry": {"max_attempts": max_attempts},
        "idempotency_key": idempotency_key,
    }
    if source is None and not application:
        raise RequestRefusedError("nothing to run; name an application, or a submission with --from")
    base = read_submission(source, sys.stdin) if source is not None else {}
    # with a token the server knows who submits
    body = completed(merged(base, options), named=given_token() is None)
    _send(body, output=output, url=url, wait=wait, wait_timeout=wait_timeout)


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
