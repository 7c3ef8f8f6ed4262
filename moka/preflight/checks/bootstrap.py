"""Whether `cdk bootstrap` has been run: the version under the file's qualifier, the bucket, the roles.

Names are those of CDK's own template (https://github.com/aws/aws-cdk-cli, packages/aws-cdk/lib/api/bootstrap); a company
that changed them gives `execution_role_arn` in the file.
"""

from collections.abc import Iterator
from typing import Any, Final

from environments import Environment
from environments.names import partition
from moka.preflight.calls import Call, Scope
from moka.preflight.check import Check, Context, ask
from moka.preflight.failures import CallFailedError, NotFoundError
from moka.preflight.iam_roles import fetch_role, in_account, role_name
from moka.preflight.rows import Verdict, failed, listed, passed, warned

NEEDED_VERSION: Final = 6
"""What CDK's modern synthesizer asks for: BootstrapVersion rule of every template."""
CURRENT_VERSION: Final = 33
"""Version of the template in the pinned CDK CLI; a test compares the two."""


def version_parameter(environment: Environment) -> str:
    """Return the name of the SSM parameter that holds the version."""
    return f"/cdk-bootstrap/{environment.bootstrap.qualifier}/version"


def bootstrap_role(environment: Environment, kind: str) -> str:
    """Return the name of one of the bootstrap stack's roles: cdk-<qualifier>-<kind>-<account>-<region>."""
    return f"cdk-{environment.bootstrap.qualifier}-{kind}-{environment.account}-{environment.region}"


def assets_bucket(environment: Environment) -> str:
    """Return the name of the bucket that assets are published to."""
    return bootstrap_role(environment, "assets")


def execution_role(environment: Environment) -> str:
    """Return the name of the role that CloudFormation assumes."""
    given = environment.bootstrap.execution_role_arn
    return bootstrap_role(environment, "cfn-exec-role") if given is None else role_name(given)


def needed_roles(environment: Environment) -> tuple[str, ...]:
    """Return the names of the roles that a deploy uses."""
    return (
        execution_role(environment),
        bootstrap_role(environment, "deploy-role"),
        bootstrap_role(environment, "file-publishing-role"),
    )


def _parameter_arns(environment: Environment) -> tuple[str, ...]:
    start = f"arn:{partition(environment)}:ssm:{environment.region}:{environment.account}:parameter"
    return (f"{start}{version_parameter(environment)}",)


def _parameters_arns(environment: Environment) -> tuple[str, ...]:
    start = f"arn:{partition(environment)}:ssm:{environment.region}:{environment.account}:parameter"
    return (f"{start}/cdk-bootstrap", f"{start}/cdk-bootstrap/*")


def _role_arns(environment: Environment) -> tuple[str, ...]:
    start = f"arn:{partition(environment)}:iam::{environment.account}:role"
    given = environment.bootstrap.execution_role_arn
    return tuple(
        given if given is not None and name == role_name(given) else f"{start}/{name}"
        for name in needed_roles(environment)
    )


PARAMETER: Final = Call("ssm", "GetParameter", Scope(words="the version parameter", arns=_parameter_arns))
PARAMETERS: Final = Call("ssm", "GetParametersByPath", Scope(words="/cdk-bootstrap", arns=_parameters_arns))
ROLE: Final = Call("iam", "GetRole", Scope(words="the bootstrap roles", arns=_role_arns))
BUCKET: Final = Call(
    "s3",
    "GetBucketLocation",
    Scope(
        words="the assets bucket",
        arns=lambda environment: (f"arn:{partition(environment)}:s3:::{assets_bucket(environment)}",),
    ),
)


def _command(environment: Environment) -> str:
    qualifier = environment.bootstrap.qualifier
    option = "" if qualifier == "hnb659fds" else f" --qualifier {qualifier}"
    return f"./cdk bootstrap aws://{environment.account}/{environment.region}{option}"


def judge_version(
    environment: Environment, file: str, version: str | None, others: tuple[str, ...]
) -> Iterator[Verdict]:
    """Yield whether the bootstrap stack is there and new enough; `others` are the qualifiers that the region has."""
    subject = f"version of qualifier {environment.bootstrap.qualifier}"
    command = _command(environment)
    if version is None:
        fix = command
        if others:
            fix += f"; or write one of {listed(others)} as `bootstrap.qualifier` in {file}"
        value = f"no {version_parameter(environment)}" + (f"; qualifiers here: {listed(others)}" if others else "")
        yield failed(subject, value, needed=f"at least {NEEDED_VERSION}", fix=fix)
    elif not version.isdecimal() or int(version) < NEEDED_VERSION:
        yield failed(subject, version, needed=f"at least {NEEDED_VERSION}", fix=command)
    elif int(version) < CURRENT_VERSION:
        yield warned(subject, version, needed=f"{CURRENT_VERSION} is the pinned CDK CLI's", fix=command)
    else:
        yield passed(subject, version, f"at least {NEEDED_VERSION}")


def judge_role(environment: Environment, file: str, name: str, role: dict[str, Any] | None) -> Iterator[Verdict]:
    """Yield whether one of the roles exists, the given one under the given ARN."""
    given = environment.bootstrap.execution_role_arn
    if role is None:
        fix = _command(environment)
        if given is not None and name == role_name(given):
            fix = f"write the ARN of the execution role as `bootstrap.execution_role_arn` in {file}"
        yield failed(name, "no such role", needed="a role", fix=fix)
    elif given is not None and name == role_name(given) and role["Arn"] != given:
        fix = f"write {role['Arn']} as `bootstrap.execution_role_arn` in {file}"
        yield failed(name, str(role["Arn"]), needed=given, fix=fix)
    else:
        yield passed(name, str(role["Arn"]))


def judge_bucket(environment: Environment, location: str | None) -> Iterator[Verdict]:
    """Yield whether the assets bucket is there, in the right region."""
    name = assets_bucket(environment)
    if location is None:
        yield failed(name, "no such bucket", needed="the bootstrap stack's bucket", fix=_command(environment))
    elif location != environment.region:
        yield failed(name, f"in {location}", needed=f"in {environment.region}", fix=_command(environment))
    else:
        yield passed(name, f"in {location}")


def _version(context: Context) -> tuple[str | None, tuple[str, ...]]:
    try:
        parameter = context.aws.get(PARAMETER, Name=version_parameter(context.environment))["Parameter"]
    except NotFoundError:
        return None, _other_qualifiers(context)
    return str(parameter["Value"]), ()


def _other_qualifiers(context: Context) -> tuple[str, ...]:
    """Return the qualifiers that the region has; none when that may not be asked: it is only a hint."""
    try:
        found = context.aws.pages(PARAMETERS, "Parameters", Path="/cdk-bootstrap", Recursive=True)
    except CallFailedError:
        return ()
    return tuple(sorted(str(each["Name"]).split("/")[2] for each in found if str(each["Name"]).endswith("/version")))


def _location(context: Context) -> str | None:
    try:
        answer = context.aws.get(BUCKET, Bucket=assets_bucket(context.environment))
    except NotFoundError:
        return None
    # S3 says nothing for its first region, and EU for its second
    return {"": "us-east-1", "EU": "eu-west-1"}.get(
        answer.get("LocationConstraint") or "", str(answer.get("LocationConstraint"))
    )


def _role(context: Context, name: str) -> Iterator[Verdict]:
    environment, file = context.environment, context.file
    given = environment.bootstrap.execution_role_arn
    if given is not None and name == role_name(given) and not in_account(environment, given):
        fix = f"write a role of account {environment.account} as `bootstrap.execution_role_arn` in {file}"
        yield failed(name, given, needed="a role of the environment's account", fix=fix)
        return
    yield from ask(
        name, lambda: fetch_role(context.aws, ROLE, name), lambda role: judge_role(environment, file, name, role)
    )


def _run(context: Context) -> Iterator[Verdict]:
    environment, file = context.environment, context.file
    yield from ask(
        f"version of qualifier {environment.bootstrap.qualifier}",
        lambda: _version(context),
        lambda found: judge_version(environment, file, *found),
    )
    for name in needed_roles(environment):
        yield from _role(context, name)
    yield from ask(
        assets_bucket(environment), lambda: _location(context), lambda location: judge_bucket(environment, location)
    )


CHECK: Final = Check(
    name="bootstrap",
    asks="Has `cdk bootstrap` been run with the file's qualifier, and are its bucket and roles there?",
    calls=(PARAMETER, PARAMETERS, ROLE, BUCKET),
    run=_run,
)
