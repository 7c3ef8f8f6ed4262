"""How a job's state is said to people: a word, a shape, a tone, and one sentence about what goes on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from archer.model import Job, JobState

Tone = Literal["good", "bad", "busy", "wait", "warn"]
Shape = Literal["check", "cross", "stop", "ring", "again", "question", "clock"]


@dataclass(frozen=True)
class Look:
    """What stands for a state on a page; the shape says it to who sees no colours, the word to everybody."""

    word: str
    shape: Shape
    tone: Tone


LOOKS: Mapping[JobState, Look] = {
    JobState.QUEUED: Look("Queued", "clock", "wait"),
    JobState.SUBMITTING: Look("Submitting", "clock", "busy"),
    JobState.SUBMITTED: Look("Submitted", "clock", "busy"),
    JobState.RUNNING: Look("Running", "ring", "busy"),
    JobState.RETRY_WAIT: Look("Retry soon", "again", "warn"),
    JobState.CANCELLING: Look("Cancelling", "stop", "warn"),
    JobState.LOST: Look("Lost", "question", "bad"),
    JobState.SUCCEEDED: Look("Succeeded", "check", "good"),
    JobState.FAILED: Look("Failed", "cross", "bad"),
    JobState.CANCELLED: Look("Cancelled", "stop", "warn"),
}

_SENTENCES: Mapping[JobState, str] = {
    JobState.QUEUED: "Waiting in queue {queue}.",
    JobState.SUBMITTING: "Archer is handing {this_attempt} to cluster {cluster}.",
    JobState.SUBMITTED: "Cluster {cluster} has {this_attempt}; Spark has not reported yet.",
    JobState.RUNNING: "Spark is running {this_attempt}.",
    JobState.RETRY_WAIT: "{This_attempt} failed in a way worth repeating; the next one starts soon.",
    JobState.CANCELLING: "Somebody asked for its end; cluster {cluster} has not confirmed yet that it is gone.",
    JobState.LOST: "{This_attempt} vanished without a result; Archer decides whether to try again.",
    JobState.SUCCEEDED: "Spark finished it successfully.",
    JobState.FAILED: "It failed{after_attempts} and is not tried again.",
    JobState.CANCELLED: "It was stopped on request.",
}


def sentence(job: Job) -> str:
    """What goes on with the job, in one sentence."""
    this_attempt = f"attempt {job.attempt} of {job.max_attempts}" if job.max_attempts > 1 else "the job"
    return _SENTENCES[job.state].format(
        queue=job.queue,
        cluster=job.cluster,
        this_attempt=this_attempt,
        This_attempt=this_attempt.capitalize(),
        after_attempts=f" after {job.attempt} attempts" if job.attempt > 1 else "",
    )
