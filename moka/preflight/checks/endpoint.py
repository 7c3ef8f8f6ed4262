"""Whether Archer's endpoint can be made: a valid certificate for its names, and a hosted zone that holds them."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final

from environments import Environment
from environments.names import partition
from environments.network import ExistingNetwork
from moka.preflight.calls import Call, Scope
from moka.preflight.check import Check, Context, ask
from moka.preflight.failures import NotFoundError
from moka.preflight.iam_roles import region_of
from moka.preflight.rows import Verdict, failed, listed, passed, warned

EXPIRES_SOON_DAYS: Final = 30


def _certificate_arns(environment: Environment) -> tuple[str, ...]:
    return (environment.archer.endpoint.certificate_arn,)


def _zone_arns(environment: Environment) -> tuple[str, ...]:
    return (f"arn:{partition(environment)}:route53:::hostedzone/{environment.archer.endpoint.hosted_zone_id}",)


CERTIFICATE: Final = Call("acm", "DescribeCertificate", Scope(words="the certificate", arns=_certificate_arns))
ZONE: Final = Call("route53", "GetHostedZone", Scope(words="the hosted zone", arns=_zone_arns))

_CERTIFICATE_PATH: Final = "archer.endpoint.certificate_arn"
_ZONE_PATH: Final = "archer.endpoint.hosted_zone_id"


def hostnames(environment: Environment) -> tuple[str, str]:
    """Return the names that the load balancer serves: Archer's and the History Server's."""
    hostname = environment.archer.endpoint.hostname
    return hostname, f"history.{hostname}"


def covers(pattern: str, hostname: str) -> bool:
    """Whether a certificate's name covers a host; a wildcard stands for exactly one label."""
    if pattern.startswith("*."):
        return hostname.partition(".")[2].lower() == pattern[2:].lower()
    return pattern.lower() == hostname.lower()


def judge_certificate(
    environment: Environment, file: str, today: date, found: dict[str, Any] | None
) -> Iterator[Verdict]:
    """Yield whether the certificate is issued, for all names, in this region, and for some time to come."""
    arn, path = environment.archer.endpoint.certificate_arn, _CERTIFICATE_PATH
    names = hostnames(environment)
    write = f"write the ARN of an issued certificate of {environment.region} for {' and '.join(names)} as `{path}` in {file}"
    if found is None:
        yield failed(path, f"{arn}: no such certificate", needed="an issued certificate", fix=write)
        return
    if region_of(arn) != environment.region:
        yield failed(path, f"a certificate of {region_of(arn)}", needed=f"one of {environment.region}", fix=write)
        return
    if found["Status"] != "ISSUED":
        fix = "add the validation records that ACM shows to DNS" if found["Status"] == "PENDING_VALIDATION" else write
        yield failed(path, str(found["Status"]), needed="ISSUED", fix=fix)
        return
    held = [str(found["DomainName"]), *map(str, found.get("SubjectAlternativeNames", ()))]
    lacking = [name for name in names if not any(covers(pattern, name) for pattern in held)]
    if lacking:
        yield failed(path, f"for {listed(dict.fromkeys(held))}", needed=listed(names), fix=write)
        return
    yield _lasting(path, found.get("NotAfter"), today)


def _lasting(path: str, end: datetime | None, today: date) -> Verdict:
    if end is None:
        return passed(path, "ISSUED")
    days, value = (end.date() - today).days, f"ISSUED, until {end.date()}"
    if days < 0:
        return failed(path, value, needed="a valid certificate", fix="renew the certificate and import it again")
    if days < EXPIRES_SOON_DAYS:
        return warned(
            path, value, fix="renew it; ACM does so by itself only for certificates that it issued and that are in use"
        )
    return passed(path, value)


def judge_zone(environment: Environment, file: str, found: dict[str, Any] | None) -> Iterator[Verdict]:
    """Yield whether the hosted zone can hold the names, and answers inside of the VPC when it is private."""
    endpoint, path = environment.archer.endpoint, _ZONE_PATH
    if found is None:
        fix = f"write the id of the hosted zone that holds {endpoint.hostname} as `{path}` in {file}"
        yield failed(path, f"{endpoint.hosted_zone_id}: no such hosted zone", needed="an existing zone", fix=fix)
        return
    zone = str(found["HostedZone"]["Name"]).rstrip(".")
    if endpoint.hostname != zone and not endpoint.hostname.endswith(f".{zone}"):
        fix = f"write a `hostname` that ends with .{zone}, or another `hosted_zone_id`, in {file}, archer.endpoint"
        yield failed(path, zone, needed=f"a zone that holds {endpoint.hostname}", fix=fix)
        return
    network = environment.network
    private = bool(found["HostedZone"].get("Config", {}).get("PrivateZone"))
    vpcs = [str(vpc["VPCId"]) for vpc in found.get("VPCs", ())]
    if private and not (isinstance(network, ExistingNetwork) and network.vpc_id in vpcs):
        vpc = network.vpc_id if isinstance(network, ExistingNetwork) else "the new VPC, once it is made"
        fix = f"aws route53 associate-vpc-with-hosted-zone --hosted-zone-id {endpoint.hosted_zone_id}, with {vpc}"
        yield warned(path, f"{zone}, private, for {listed(vpcs)}", needed="the environment's VPC among them", fix=fix)
    else:
        yield passed(path, f"{zone}, {'private' if private else 'public'}")


def _certificate(context: Context) -> dict[str, Any] | None:
    arn = context.environment.archer.endpoint.certificate_arn
    try:
        found: dict[str, Any] = context.aws.get(CERTIFICATE, region=region_of(arn), CertificateArn=arn)["Certificate"]
    except NotFoundError:
        return None
    return found


def _zone(context: Context) -> dict[str, Any] | None:
    try:
        return context.aws.get(ZONE, Id=context.environment.archer.endpoint.hosted_zone_id)
    except NotFoundError:
        return None


def _run(context: Context) -> Iterator[Verdict]:
    yield from ask(
        _CERTIFICATE_PATH,
        lambda: _certificate(context),
        lambda found: judge_certificate(context.environment, context.file, context.today, found),
    )
    yield from ask(
        _ZONE_PATH, lambda: _zone(context), lambda found: judge_zone(context.environment, context.file, found)
    )


CHECK: Final = Check(
    name="endpoint",
    asks="Is there an issued certificate for Archer's names, and a hosted zone that holds them?",
    calls=(CERTIFICATE, ZONE),
    run=_run,
)
