"""What a cluster cannot honour of a submission: all of it at once, at the door, before anything is queued.

What the environment's file says about queues and profiles is `archer.tenancy`'s; here is what only the place decides.
"""

from collections.abc import Iterator, Sequence

from archer import features
from archer.cluster_config import ClusterConfig, ClusterView
from archer.errors import InvalidSubmissionError, Problem
from archer.ids import STAND_IN, attempt_name
from archer.problems import shown
from archer.redaction import MASK, is_secret_key
from archer.reserved import RESERVED_ON_KUBERNETES
from archer.spark_application import crd, names
from archer.spark_application.bounds import bound_of_team, exceeded
from archer.spark_application.inputs import Inputs, resolve
from archer.spark_application.layers import values_of
from archer.spark_application.manifest import assemble_of, conf_of
from archer.spark_application.places import place_problems
from archer.spark_application.sizes import asked_sizes, sizes_of
from archer.submission import Submission


def check(submission: Submission, *, config: ClusterConfig, cluster: ClusterView) -> Sequence[Problem]:
    """Everything that this cluster can't honour; empty when it can run the job."""
    problems = [*_conf_problems(submission), *_label_problems(submission), *_location_problems(submission)]
    problems += [*_weight_problems(submission, cluster), *_celeborn_problems(submission, config, cluster)]
    inputs = resolve(submission, config=config, cluster=cluster)
    if not isinstance(inputs, Inputs):
        return [*problems, *inputs]
    layers = conf_of(inputs, name=attempt_name(STAND_IN, 1))
    sizes = sizes_of(submission, conf=values_of(layers))
    problems += place_problems(inputs, sizes)
    problems += exceeded(submission, sizes, [bound_of_team(inputs.team)])
    if problems:
        return problems
    try:
        built = assemble_of(inputs, layers, job_id=STAND_IN)
    except InvalidSubmissionError as error:
        return error.problems
    return crd.problems_of(built.manifest)


def notes(submission: Submission, *, config: ClusterConfig, cluster: ClusterView) -> Sequence[str]:
    """What the owner should know about how the submission is understood on this cluster."""
    inputs = resolve(submission, config=config, cluster=cluster)
    if not isinstance(inputs, Inputs):
        return ()
    found = []
    sizes = asked_sizes(submission, config)
    if sizes.most + 1 > inputs.team.pods:
        found.append(f"asks for {sizes.most + 1} pods; namespace {inputs.team.namespace} holds {inputs.team.pods}")
    catalog = config.catalog
    if catalog is not None and catalog.kind == "glue" and not inputs.image_has("glue"):
        found.append(
            "SQL sees no Glue tables: the Spark image lacks the client; name paths, or use an image that has it"
        )
    return found


def _conf_problems(submission: Submission) -> Iterator[Problem]:
    for key, value in submission.conf.items():
        reason = RESERVED_ON_KUBERNETES.reason(key)
        if reason is not None:
            allowed = "a key that Archer doesn't set itself on Kubernetes"
            yield Problem(
                path=f"conf.{key}", value=MASK if is_secret_key(key) else shown(value), allowed=allowed, fix=reason
            )


def _label_problems(submission: Submission) -> Iterator[Problem]:
    for key, value in submission.labels.items():
        owner = names.owner_of_label(key)
        path = f"labels.{key}"
        if owner is not None:
            allowed = f"a key of your own ({owner})"
            yield Problem(
                path=path, value=shown(value), allowed=allowed, fix="use another key, for example example.com/owner"
            )
        elif not names.is_label_key(key):
            allowed = "a key as Kubernetes takes it: name, or dns.prefix/name with one slash"
            yield Problem(
                path=path, value=shown(value), allowed=allowed, fix="use another key, for example example.com/owner"
            )


def _location_problems(submission: Submission) -> Iterator[Problem]:
    for path, value in submission.application.locations():
        if "://" not in value or value.startswith("file://"):
            yield Problem(
                path=path,
                value=shown(value),
                allowed="an address that pods reach: s3a://, https://, hdfs://, or local:// for a file in the image",
                fix="copy it to S3 and name it there",
            )


def _weight_problems(submission: Submission, cluster: ClusterView) -> Iterator[Problem]:
    if cluster.weight == 0 and submission.cluster is None:
        allowed = f"{cluster.name}: this cluster takes only jobs that ask for it, its weight is 0"
        yield Problem(path="cluster", value="absent", allowed=allowed, fix="name it, or another cluster")


def _celeborn_problems(submission: Submission, config: ClusterConfig, cluster: ClusterView) -> Iterator[Problem]:
    if submission.shuffle != "celeborn":
        return
    if cluster.celeborn is None:
        allowed = f"disk: cluster {cluster.name} has no Celeborn"
        yield Problem(
            path="shuffle", value=shown("celeborn"), allowed=allowed, fix="leave it out, or use another cluster"
        )
    if submission.image is None:
        yield from features.lacking("shuffle", "celeborn", "celeborn", config.spark_features)
