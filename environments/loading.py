"""Reads environment files and refuses them whole, with every problem they have.

`load` gives a checked environment or raises; `examine` gives both and never raises for what a file says. Text, shape and
the rules between sections are judged in that order, and each as far as the one before leaves something to judge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from environments import checks
from environments.checks import together
from environments.document import MOST_BYTES, Document, parse
from environments.model import Environment
from environments.problems import Finding, Problem, Words, choose, listed, render_text
from environments.salvage import salvage
from environments.structure import read

FOLDER: Final = Path(__file__).parent
"""Where the shipped environments are."""


class EnvironmentFileError(Exception):
    """An environment file that cannot be used; `problems` says all that is wrong with it, `str()` prints it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(render_text(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of reading one file."""

    file: str
    document: Document
    environment: Environment | None
    """The environment; None when there is an error."""
    problems: tuple[Problem, ...]
    """Errors and warnings in the order of the file."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that make the file unusable."""
        return tuple(problem for problem in self.problems if problem.level == "error")


def environment_names() -> tuple[str, ...]:
    """Return the names of the shipped environments, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def load(name_or_path: str | Path) -> Environment:
    """Return the environment of `environments/<name>.yaml`, or of a file when given a path.

    Raises EnvironmentFileError with every problem of the file.
    """
    if _is_shipped(name_or_path) and name_or_path in environment_names():
        return _load_shipped(str(name_or_path), (FOLDER / f"{name_or_path}.yaml").read_bytes())
    return load_all([name_or_path])[0]


@lru_cache(maxsize=16)
def _load_shipped(name: str, _content: bytes) -> Environment:
    # an environment is frozen: whoever asks again for the same text gets the same one
    return load_all([name])[0]


def load_all(names_or_paths: Sequence[str | Path]) -> tuple[Environment, ...]:
    """Return the environments, checked one by one and against each other.

    Raises EnvironmentFileError with every problem of every file.
    """
    reports = examine_all(names_or_paths)
    errors = [problem for report in reports for problem in report.errors]
    if errors:
        raise EnvironmentFileError(errors)
    return tuple(report.environment for report in reports if report.environment is not None)


def examine_all(names_or_paths: Sequence[str | Path]) -> list[Report]:
    """Return a report per file; those that can be read are also checked against each other."""
    reports = [examine(each) for each in names_or_paths]
    good = {id(report.environment): report for report in reports if report.environment is not None}
    environments = [report.environment for report in good.values() if report.environment is not None]
    for environment, finding in (*together.overlapping_networks(environments), *together.same_names(environments)):
        report = good[id(environment)]
        number = reports.index(report)
        problems = (*report.problems, report.document.problem(finding))
        reports[number] = good[id(environment)] = _replaced(report, problems)
    return reports


def _replaced(report: Report, problems: tuple[Problem, ...]) -> Report:
    return Report(file=report.file, document=report.document, environment=report.environment, problems=problems)


def check_together(environments: Sequence[Environment]) -> list[Problem]:
    """Return what is wrong between environments that are fine by themselves; `file` is `environments/<name>.yaml`."""
    found = (*together.overlapping_networks(environments), *together.same_names(environments))
    return [Document(f"environments/{environment.name}.yaml").problem(finding) for environment, finding in found]


def examine(name_or_path: str | Path) -> Report:
    """Return everything that is wrong with one file, and the environment when nothing is."""
    return judge(_open(name_or_path), expected_name=str(name_or_path) if _is_shipped(name_or_path) else None)


def judge(document: Document, *, expected_name: str | None = None) -> Report:
    """Return everything that is wrong with a parsed file; a shipped one must also have the name of its file."""
    findings = list(document.findings)
    environment: Environment | None = None
    if isinstance(document.data, dict):
        environment, wrong = read(document.data)
        refused = [finding.path for finding in document.findings if finding.path]
        findings += [finding for finding in wrong if not any(finding.path[: len(path)] == path for path in refused)]
        findings += checks.run(environment or salvage(document.data), whole=environment is not None)
        findings += _misnamed(document.data.get("name"), expected_name)
    problems = _in_order(document, findings)
    usable = not any(problem.level == "error" for problem in problems)
    return Report(file=document.file, document=document, environment=environment if usable else None, problems=problems)


def _misnamed(given: object, expected: str | None) -> list[Finding]:
    if expected is None or not isinstance(given, str) or given == expected:
        return []
    fix = f"write name: {expected}, or rename the file to {given}.yaml"
    return [Finding(path=("name",), value=given, allowed=f"{expected}, the file's name", fix=fix)]


def _in_order(document: Document, findings: Sequence[Finding]) -> tuple[Problem, ...]:
    """Return the problems by line, equal ones once."""
    problems = dict.fromkeys(document.problem(finding) for finding in findings)
    return tuple(sorted(problems, key=lambda problem: (problem.line or 0, problem.path)))


def _is_shipped(name_or_path: str | Path) -> bool:
    """Whether a word is a name of ours and not a path."""
    return isinstance(name_or_path, str) and "/" not in name_or_path and not name_or_path.endswith((".yaml", ".yml"))


def _open(name_or_path: str | Path) -> Document:
    """Return the parsed file; one that cannot be opened is a document with that problem."""
    if _is_shipped(name_or_path):
        name = str(name_or_path)
        if name not in environment_names():
            known = environment_names()
            fix = choose(
                name, known, f"write one of them, or the path of a file; a new one is environments/{name}.yaml"
            )
            return _refused(f"environment {name}", name, f"one of {listed(known)}, or a path that ends with .yaml", fix)
        path = FOLDER / f"{name}.yaml"
        shown = f"environments/{name}.yaml"
    else:
        path, shown = Path(name_or_path), str(name_or_path)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        return _refused(shown, Words(reason.lower()), "a file that can be read", "check the path and its permissions")
    return parse(shown, content)


def _refused(file: str, value: str, allowed: str, fix: str) -> Document:
    return Document(file, findings=[Finding(path=(), value=value, allowed=allowed, fix=fix)])
