"""What `archer explain` finds out, without a server: the environment's file and the submission are all it reads."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from archer.client_errors import Json
from archer.cluster_config import ClusterConfig, ClusterView, load_cluster_config
from archer.errors import InvalidSubmissionError, Problem
from archer.problems import problems_of, shown
from archer.redaction import redact_json
from archer.spark_application import check, explain, notes
from archer.submission import Submission
from archer.tenancy import Tenancy


def explained(body: Json, *, config: Path, memory_rung: float) -> tuple[Json, Sequence[str]]:
    """The explanation without secrets, and remarks on it.

    Raises InvalidSubmissionError with everything that the environment or the cluster would refuse.
    """
    environment = load_cluster_config(config)
    submission = _parsed(body)
    cluster = _cluster(environment, submission)
    admission = Tenancy(environment).admit(submission)
    problems = [*admission.problems]
    told = {problem.path for problem in problems}
    of_place = check(admission.submission, config=environment, cluster=cluster)
    problems += [admission.profiled.attributed(problem) for problem in of_place if problem.path not in told]
    if problems:
        raise InvalidSubmissionError(problems)
    lent = admission.profiled.lent
    found: Json = redact_json(
        explain(admission.submission, config=environment, cluster=cluster, lent=lent, rung=memory_rung)
    )
    return found, (*admission.notes, *notes(admission.submission, config=environment, cluster=cluster))


def _parsed(body: Json) -> Submission:
    try:
        return Submission.model_validate(body)
    except ValidationError as error:
        raise InvalidSubmissionError(problems_of(error, Submission)) from None


def _cluster(config: ClusterConfig, submission: Submission) -> ClusterView:
    wanted = submission.cluster
    if wanted is None:
        team = config.team(submission.team)
        wanted = config.clusters[0].name if team is None else team.clusters[0]
    found = config.cluster(wanted)
    if found is None:
        allowed = f"a cluster of environment {config.environment}: {', '.join(each.name for each in config.clusters)}"
        fix = "use one of these, or leave it out"
        raise InvalidSubmissionError([Problem(path="cluster", value=shown(wanted), allowed=allowed, fix=fix)])
    return found
