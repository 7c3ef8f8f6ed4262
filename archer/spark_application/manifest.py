"""Makes the whole SparkApplication of an attempt. Pure: the same job, environment and rung give the same manifest.

Every field that the operator's defaulting webhook would fill in is written, as the operator without it ignores what is
missing or fails on it (https://github.com/kubeflow/spark-operator/blob/v2.5.2/api/v1beta2/defaults.go).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from archer import profiles
from archer.cluster_config import ClusterConfig, ClusterView
from archer.errors import InvalidSubmissionError, LaunchRefusedError
from archer.ids import attempt_name
from archer.model import Job
from archer.spark_application import names
from archer.spark_application.inputs import Inputs, resolve
from archer.spark_application.layers import Layer, Setting, layered, values_of
from archer.spark_application.places import Places, place_problems, places_for
from archer.spark_application.platform_conf import platform_conf
from archer.spark_application.sizes import OFF_HEAP, PYTHON_MEMORY, PodSize, Sizes, sizes_of
from archer.spark_application.templates import driver_template, executor_template, literal, queue_annotation
from archer.submission import Submission

Json = dict[str, Any]

API_VERSION: Final = "sparkoperator.k8s.io/v1beta2"
KIND: Final = "SparkApplication"
KEPT_SECONDS: Final = 3600
"""How long the operator keeps an application that it has ended, so that its driver's log can be read; one that it has not
ended Archer deletes when its end is committed."""


@dataclass(frozen=True, kw_only=True)
class Built:
    """A manifest, and why it is as it is."""

    manifest: Json
    conf: Mapping[str, Setting]
    """Every Spark property with its origin."""
    sizes: Sizes
    places: Places
    inputs: Inputs


def build(job: Job, *, config: ClusterConfig, cluster: ClusterView, attempt: int, memory_rung: float) -> Json:
    """The complete SparkApplication of the job's attempt on the cluster.

    Raises LaunchRefusedError when the job cannot run there: the environment may have changed since it was accepted.
    """
    submission = Submission.model_validate(job.submission).model_copy(update={"queue": job.queue})
    try:
        built = assemble(submission, config=config, cluster=cluster, job_id=job.id, attempt=attempt, rung=memory_rung)
    except InvalidSubmissionError as error:
        raise LaunchRefusedError(
            f"cluster {cluster.name} cannot run it any more: {error.problems[0]}",
            "submit it again as the environment is now",
            detail=str(error),
        ) from error
    return built.manifest


def assemble(
    submission: Submission,
    *,
    config: ClusterConfig,
    cluster: ClusterView,
    job_id: str,
    attempt: int = 1,
    rung: float = 1.0,
    lent: Mapping[str, Any] | None = None,
) -> Built:
    """As `build`, from a submission with its profile applied; `lent` is what the profile lent, found out when None.

    Raises InvalidSubmissionError with everything that prevents it.
    """
    inputs = resolve(submission, config=config, cluster=cluster)
    if not isinstance(inputs, Inputs):
        raise InvalidSubmissionError(inputs)
    layers = conf_of(inputs, name=attempt_name(job_id, attempt), lent=lent)
    return assemble_of(inputs, layers, job_id=job_id, attempt=attempt, rung=rung)


def assemble_of(
    inputs: Inputs, layers: Mapping[str, Setting], *, job_id: str, attempt: int = 1, rung: float = 1.0
) -> Built:
    """As `assemble`, where the inputs and what `conf_of` says of them are known."""
    submission, name = inputs.submission, attempt_name(job_id, attempt)
    sizes = sizes_of(submission, conf=values_of(layers), rung=rung)
    conf = _climbed(layers, sizes, rung)
    places = places_for(inputs, sizes)
    if places is None:
        raise InvalidSubmissionError(list(place_problems(inputs, sizes)))
    labels = _labels(inputs, job_id=job_id, name=name, attempt=attempt)
    return Built(
        manifest={
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {
                "name": name,
                "namespace": inputs.team.namespace,
                # the operator copies them to the pods
                "labels": {**submission.labels, **labels},
                "annotations": _annotations(inputs, rung),
            },
            "spec": _spec(inputs, conf=values_of(conf), sizes=sizes, places=places, labels=labels),
        },
        conf=conf,
        sizes=sizes,
        places=places,
        inputs=inputs,
    )


def conf_of(inputs: Inputs, *, name: str, lent: Mapping[str, Any] | None = None) -> dict[str, Setting]:
    """The job's Spark properties before the memory ladder, each with its origin."""
    submission, config = inputs.submission, inputs.config
    of_profile = _profile_conf(inputs) if lent is None else _lent_conf(lent)
    return layered(
        [
            (Layer.PLATFORM, platform_conf(inputs, sizes_of(submission), name)),
            (Layer.ENVIRONMENT, config.conf),
            (Layer.TEAM, inputs.team.conf),
            (Layer.PROFILE, of_profile),
            # what the profile lent stands in the submission too, and is not the job's own
            (Layer.JOB, {key: value for key, value in submission.conf.items() if of_profile.get(key) != value}),
        ]
    )


def _profile_conf(inputs: Inputs) -> dict[str, str]:
    """What the profile, as it is now, says that the accepted submission says too."""
    submission = inputs.submission
    profile = inputs.config.profile(submission.profile)
    if profile is None:
        return {}
    bare = Submission(name=submission.name, application=submission.application, parameters=submission.parameters)
    lendable = _lent_conf(profiles.apply(profile, bare).lent)
    return {key: value for key, value in lendable.items() if submission.conf.get(key) == value}


def _lent_conf(lent: Mapping[str, Any]) -> dict[str, str]:
    return {path.removeprefix("conf."): value for path, value in lent.items() if path.startswith("conf.")}


def _climbed(conf: Mapping[str, Setting], sizes: Sizes, rung: float) -> dict[str, Setting]:
    """With the memory outside the heap that properties state times the rung."""
    climbed = dict(conf)
    for key, mib in ((OFF_HEAP, sizes.executor.off_heap_mib), (PYTHON_MEMORY, sizes.executor.python_mib)):
        if mib and rung != 1:
            climbed[key] = replace(conf[key], value=f"{mib}m", rung=rung)
    return climbed


def _labels(inputs: Inputs, *, job_id: str, name: str, attempt: int) -> dict[str, str]:
    labels = {
        names.JOB_ID: job_id,
        names.ATTEMPT: str(attempt),
        names.QUEUE: names.label_value(inputs.queue),
        names.TEAM: inputs.team.name,
        names.INSTALLATION: names.label_value(inputs.config.environment),
        names.YUNIKORN_APP: name,
    }
    if names.is_label_value(inputs.queue):
        labels[names.YUNIKORN_QUEUE] = inputs.queue
    return labels


def _annotations(inputs: Inputs, rung: float) -> dict[str, str]:
    """What a reader of the application wants to know and labels cannot hold."""
    found = {
        names.JOB_NAME: inputs.submission.name,
        names.QUEUE: inputs.queue,
        names.MEMORY_RUNG: f"{rung:g}",
        **queue_annotation(inputs.queue),
    }
    if inputs.submission.user is not None:
        found[names.USER] = inputs.submission.user
    return found


def _spec(inputs: Inputs, *, conf: dict[str, str], sizes: Sizes, places: Places, labels: Mapping[str, str]) -> Json:
    application = inputs.submission.application
    spec: Json = {
        "type": "Python" if inputs.python else "Java",
        "mode": "cluster",
        "sparkVersion": inputs.spark_version,
        "image": inputs.image,
        "imagePullPolicy": "IfNotPresent",
        "mainApplicationFile": application.file,
        "arguments": [literal(argument) for argument in application.arguments],
        "sparkConf": conf,
        # a retry is a new attempt with a new name, decided by Archer (D13)
        "restartPolicy": {"type": "Never"},
        "timeToLiveSeconds": KEPT_SECONDS,
        "driver": {
            **_size(sizes.driver),
            "serviceAccount": inputs.team.service_account,
            "template": driver_template(inputs, places.driver, labels),
        },
        "executor": {
            **_size(sizes.executor),
            # the schema wants one at least; with dynamic allocation the number below decides
            "instances": max(1, sizes.instances),
            "deleteOnTermination": False,
            "serviceAccount": inputs.team.service_account,
            "template": executor_template(inputs, places.executor, labels),
        },
    }
    if inputs.python:
        spec["pythonVersion"] = "3"
    else:
        spec["mainClass"] = application.main_class
    dependencies = {
        key: list(paths)
        for key, paths in (
            ("jars", application.jars),
            ("pyFiles", application.py_files),
            ("files", application.files),
            ("archives", application.archives),
        )
        if paths
    }
    if dependencies:
        spec["deps"] = dependencies
    if inputs.dynamic:
        spec["dynamicAllocation"] = {
            "enabled": True,
            "initialExecutors": sizes.instances,
            "minExecutors": sizes.least,
            "maxExecutors": sizes.most,
            # absent, the operator would turn it on
            "shuffleTrackingEnabled": not inputs.celeborn,
        }
    return spec


def _size(size: PodSize) -> Json:
    return {"cores": size.cores, "memory": f"{size.heap_mib}m", "memoryOverhead": f"{size.overhead_mib}m"}
