"""`archer list`, `status`, `attempts`, `events` and `kill`: looking at jobs, and ending one."""

from typing import Annotated

import typer

from archer.cli.options import DEFAULT_URL, JobId, Output, Url
from archer.cli.output import OutputFormat, say, write, write_json
from archer.cli.views import write_attempts, write_events, write_jobs, write_status
from archer.cli.waiting import connect


def list_jobs(
    *,
    state: Annotated[
        list[str] | None, typer.Option("--state", metavar="STATE", help="Only jobs in this state; repeat for more.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Only jobs of this name.")] = None,
    queue: Annotated[str | None, typer.Option("--queue", metavar="QUEUE", help="Only jobs of this queue.")] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="USER", help="Only jobs of this user.")] = None,
    team: Annotated[str | None, typer.Option("--team", metavar="TEAM", help="Only jobs of this team.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="KEY=VALUE", help="Only jobs with this label; repeat for more."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="The newest so many jobs at most.")] = 50,
    output: Output = OutputFormat.TABLE,
    url: Url = DEFAULT_URL,
) -> None:
    """List jobs, newest first."""
    states = [word.strip().upper() for given in state or () for word in given.split(",") if word.strip()]
    with connect(url) as client:
        # one more than asked for tells whether there are others
        found = list(
            client.jobs(limit=limit + 1, state=states, name=name, queue=queue, user=user, team=team, label=label)
        )
    jobs = found[:limit]
    if output is OutputFormat.JSON:
        write_json(jobs)
    elif jobs:
        write_jobs(jobs)
    if not jobs:
        say("no jobs" if not any((states, name, queue, user, team, label)) else "no jobs match")
    if len(found) > limit:
        say(f"there are more than {limit}; give --limit to see them")


def status(job: JobId, output: Output = OutputFormat.TABLE, url: Url = DEFAULT_URL) -> None:
    """Show where a job stands, and what went wrong if it failed."""
    with connect(url) as client:
        found = client.job(job)
    if output is OutputFormat.JSON:
        write_json(found)
    else:
        write_status(found, url)


def attempts(job: JobId, output: Output = OutputFormat.TABLE, url: Url = DEFAULT_URL) -> None:
    """List the tries at running a job."""
    with connect(url) as client:
        found = client.attempts(job)
    if output is OutputFormat.JSON:
        write_json(found)
    elif found:
        write_attempts(found)
    else:
        say("no attempts yet")


def events(job: JobId, output: Output = OutputFormat.TABLE, url: Url = DEFAULT_URL) -> None:
    """List what happened to a job, oldest first."""
    with connect(url) as client:
        found = list(client.events(job))
    if output is OutputFormat.JSON:
        write_json(found)
    else:
        write_events(found)


def kill(job: JobId, output: Output = OutputFormat.TABLE, url: Url = DEFAULT_URL) -> None:
    """End a job: a waiting one at once, a running one as soon as its cluster confirms.

    A job that has finished already is refused with exit code 2.
    """
    with connect(url) as client:
        found = client.kill(job)
    if output is OutputFormat.JSON:
        write_json(found)
    else:
        write(f"{found['id']} {found['state']}\n")
    if found["state"] == "CANCELLING":
        say(f"it is being stopped; `archer wait {found['id']}` tells when it is gone")
