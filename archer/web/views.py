"""What the job page shows of a submission and where it links to: the fields that were set, in an order for readers, secrets masked."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from archer.model import Attempt
from archer.redaction import redact_json

Shown = str | list[str]


def web_link(url: str | None) -> str | None:
    """`url` if a browser may be sent there. What a job's log says of its own address may be anything."""
    return url if url and url.startswith(("http://", "https://")) else None


def spec_text(attempt: Attempt) -> str:
    """What the cluster was asked to run, as somebody would apply it: YAML, secrets masked; empty when nothing is known."""
    if not attempt.spec:
        return ""
    text: str = yaml.safe_dump(redact_json(dict(attempt.spec)), sort_keys=False, allow_unicode=True, width=120)
    return text


def submission_json(submission: Mapping[str, Any]) -> str:
    """The whole submission as indented JSON, secrets masked."""
    return json.dumps(redact_json(submission), indent=2, ensure_ascii=False)


def submission_pairs(submission: Mapping[str, Any]) -> list[tuple[str, Shown]]:
    """`[("Application", "/jobs/report.py"), ("Spark settings", ["spark.x = 1"])]`: what is set, and nothing else.

    A list stands for several values. Fields that later versions add appear under their own names.
    """
    shown = redact_json(submission)
    return [(name, value) for name, value in _pairs(shown) if value]


def _pairs(submission: dict[str, Any]) -> Iterator[tuple[str, Shown]]:
    application = submission.get("application", {})
    yield "Application", application.get("file", "")
    yield "Main class", application.get("main_class") or ""
    yield "Arguments", list(application.get("arguments", ()))
    for title, key in (("Python files", "py_files"), ("Jars", "jars"), ("Files", "files"), ("Archives", "archives")):
        yield title, list(application.get(key, ()))
    yield "Driver", _size(submission.get("driver", {}))
    yield "Executors", _size(submission.get("executor", {}))
    yield "Spark settings", _lines(submission.get("conf", {}))
    yield "Environment", _lines(submission.get("environment", {}))
    yield "Parameters", _lines(submission.get("parameters", {}))
    yield "Labels", _lines(submission.get("labels", {}))
    yield "Limits", _limits(submission.get("timeouts", {}))
    yield "Attempts at most", str(submission.get("retry", {}).get("max_attempts", ""))
    yield "Priority", str(submission.get("priority") or "")
    # on a disk beside the executor, unless the job says otherwise
    yield "Shuffle", shuffle if (shuffle := submission.get("shuffle", "disk")) != "disk" else ""
    told = {
        *("application", "driver", "executor", "conf", "environment", "parameters", "labels", "timeouts", "retry"),
        *("priority", "shuffle"),
        # these stand among the facts above
        *("name", "user", "team", "queue"),
    }
    for key, value in submission.items():
        if key not in told and value is not None:
            yield key.replace("_", " ").capitalize(), value if isinstance(value, str) else json.dumps(value)


def _size(part: Mapping[str, Any]) -> str:
    if not part:
        return ""
    number = f"{_instances(part)} \N{MULTIPLICATION SIGN} " if "instances" in part else ""
    beside = f" + {part['memory_overhead']} beside the heap" if part.get("memory_overhead") else ""
    cores = part.get("cores", 1)
    where = f", on {part['capacity'].replace('_', '-')} nodes" if part.get("capacity") else ""
    return f"{number}{cores} core{'' if cores == 1 else 's'}, {part.get('memory', '?')}{beside}{where}"


def _instances(part: Mapping[str, Any]) -> str:
    """`6`, or `2 to 40` where their number follows the work."""
    if part.get("max_instances") is None:
        return str(part["instances"])
    least = part["min_instances"] if part.get("min_instances") is not None else 0
    return f"{least} to {part['max_instances']}"


def _lines(values: Mapping[str, str]) -> list[str]:
    return [f"{key} = {value}" for key, value in sorted(values.items())]


def _limits(timeouts: Mapping[str, Any]) -> list[str]:
    words = {"queue_seconds": "waiting", "start_seconds": "starting", "run_seconds": "running"}
    return [f"{words.get(key, key)}: {value} s" for key, value in timeouts.items() if value is not None]
