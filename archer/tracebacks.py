"""Finds the error in a log: the last Python traceback, the last Java exception, and the user's own line in either.

Text in, text out; knows the two formats and nothing of jobs.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

_HEAD = "Traceback (most recent call last):"
_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)')
_ERROR = re.compile(r"^(?P<type>[A-Za-z_][\w.]*)(: (?P<message>.*))?$")
_SYNTAX = re.compile(
    r'^  File "(?P<file>[^"]+)", line (?P<line>\d+)\n(?:    .*\n)*(?P<error>(?:Syntax|Indentation|Tab)Error: .*)$',
    re.MULTILINE,
)
_JAVA = re.compile(
    r'^(?:Exception in thread "[^"]*" |Caused by: )?(?P<error>[a-z][\w]*(?:\.[\w$]+)+(?:Exception|Error)\b[^\n]*)$'
)
_SPARK_PACKAGES = ("org.apache.", "java.", "javax.", "jdk.", "sun.", "scala.", "py4j.")


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One error as found in a log."""

    error: str
    """`ValueError: no such column`."""
    error_type: str
    """`ValueError`, with its package when the log says it."""
    where: str
    """`app.py:12`, the user's own line when there is one."""
    text: str
    """The whole block, as logged."""


def traceback_in(log: str, application: str) -> Trace | None:
    """The last Python traceback, or the last complaint about the program's syntax; None when there is neither."""
    start = log.rfind(_HEAD)
    if start < 0:
        return _syntax_error_in(log)
    block: list[str] = [_HEAD]
    error: re.Match[str] | None = None
    for line in log[start + len(_HEAD) :].splitlines()[1:]:
        error = None if line[:1].isspace() else _ERROR.match(line)
        block.append(line)
        if error is not None or not line.strip():
            break
    if error is None:
        return None
    frames = [match for match in map(_FRAME.match, block) if match]
    cause = _jvm_cause(log[start:])
    message = error["message"] or ""
    name = error["type"].rpartition(".")[2]
    return Trace(
        error=cause or (f"{name}: {message}" if message else name),
        error_type=error["type"],
        where=_own_line(frames, application),
        text="\n".join([*block, *([f"Caused by: {cause}"] if cause else [])]),
    )


def _jvm_cause(text: str) -> str | None:
    """The root of a JVM error that Python passed on: it says more than Python's line, "an error occurred"."""
    causes = re.findall(r"^Caused by: ([\w.$]+(?:Exception|Error)\b.*)$", text, flags=re.MULTILINE)
    causes = causes or re.findall(r"^: ([\w.$]+(?:Exception|Error)\b.*)$", text, flags=re.MULTILINE)
    # a Python worker's error has a traceback of its own, which is the last one in the log
    return causes[-1].strip() if causes and "PythonException" not in causes[-1] else None


def _syntax_error_in(log: str) -> Trace | None:
    """Python refuses a program that it can't parse without any traceback."""
    found = list(_SYNTAX.finditer(log))
    if not found:
        return None
    last = found[-1]
    return Trace(
        error=last["error"],
        error_type=last["error"].partition(":")[0],
        where=f"{PurePosixPath(last['file']).name}:{last['line']}",
        text=last.group().strip("\n"),
    )


def _own_line(frames: list[re.Match[str]], application: str) -> str:
    name = PurePosixPath(application).name
    own = [frame for frame in frames if PurePosixPath(frame["file"]).name == name]
    foreign = [frame for frame in frames if "/pyspark" not in frame["file"] and "/py4j" not in frame["file"]]
    for chosen in (own, foreign, frames):
        if chosen:
            return f"{PurePosixPath(chosen[-1]['file']).name}:{chosen[-1]['line']}"
    return name


def exception_in(log: str) -> Trace | None:
    """The Java exception that ended a program: the last uncaught one in `log`; None when there is none."""
    lines = log.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("Exception in thread ")]
    if not starts:
        return None
    block = lines[starts[-1] : starts[-1] + 40]
    match = _JAVA.match(block[0])
    error = match["error"] if match else block[0].removeprefix("Exception in thread ")
    frames = re.findall(r"^\s+at ([\w.$]+)\(([\w.]+:\d+)\)", "\n".join(block), flags=re.MULTILINE)
    own = [place for method, place in frames if not method.startswith(_SPARK_PACKAGES)]
    return Trace(
        error=error.strip(),
        error_type=error.partition(":")[0].strip(),
        where=own[0] if own else "",
        text="\n".join(block),
    )
