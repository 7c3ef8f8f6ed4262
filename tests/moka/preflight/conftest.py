"""An AWS account to look at: moto behind the real botocore, with the parts that the environment file names.

Moto has no quotas but the VPC's, and no GetAWSDefaultServiceQuota. `Account.answer` puts an answer in the place of one API
call, at the point where botocore would send the request (`before-call`); parameters are validated by botocore before that.
Every call that botocore is asked to make is recorded.
"""

from __future__ import annotations

import functools
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3  # type: ignore[import-untyped]
import botocore.loaders  # type: ignore[import-untyped]
import botocore.session  # type: ignore[import-untyped]
import pytest
import yaml
from moto import mock_aws
from moto.acm.models import acm_backends
from moto.route53.models import route53_backends

from environments import Environment
from moka.preflight import preflight
from moka.preflight.aws import Aws
from moka.preflight.check import WantedImage
from moka.preflight.key_policy import autoscaling_role, needed_statements

if TYPE_CHECKING:
    from moka.preflight import Report, Row

ACCOUNT = "123456789012"
REGION = "us-east-1"
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
LOADER = botocore.loaders.create_loader()
ENVIRONMENT = Path(__file__).with_name("environment.yaml")
TODAY = date(2026, 11, 1)
HOSTNAME = "archer.dev.moka.example.com"
IMAGES = (WantedImage(repository="spark-operator-controller", tag="2.5.2"),)
SERVICES = {
    "autoscaling.amazonaws.com": "AWSServiceRoleForAutoScaling",
    "eks.amazonaws.com": "AWSServiceRoleForAmazonEKS",
    "eks-nodegroup.amazonaws.com": "AWSServiceRoleForAmazonEKSNodegroup",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "rds.amazonaws.com": "AWSServiceRoleForRDS",
    "spot.amazonaws.com": "AWSServiceRoleForEC2Spot",
}
QUOTAS = {
    "L-1216C47A": 1000.0,
    "L-34B43A08": 1000.0,
    "L-7A658B76": 50.0,
    "L-0263D0A3": 5.0,
    "L-F678F1CE": 5.0,
    "L-83CA0A9D": 5.0,
    "L-DF5E4CA3": 5000.0,
    "L-BB24F6E5": 64000.0,
    "L-1194D53C": 100.0,
    "L-6D54EA21": 30.0,
    "L-BD136A63": 450.0,
}

BOUNDARY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})

Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def refusal(code: str, message: str = "no") -> dict[str, Any]:
    """An answer that is an error."""
    return {"Error": {"Code": code, "Message": message}}


def session() -> Any:
    """A session; all share what was loaded of botocore's models, which costs more than everything else here."""
    core = botocore.session.Session()
    core.register_component("data_loader", LOADER)
    return boto3.session.Session(region_name=REGION, botocore_session=core)


@functools.cache
def _client(service: str, region: str) -> Any:
    """One for all tests: it holds no state but credentials, and moto catches what it sends while a test runs."""
    return session().client(service, region_name=region, aws_access_key_id="testing", aws_secret_access_key="testing")


class Account:
    """The account, the environment file that belongs to it, and what was asked of it."""

    def __init__(self) -> None:
        self.session = session()
        self.session.events.register_first("before-call", self._intercept)
        self.calls: list[str] = []
        """service:Operation of every call, in order."""
        self.limits = dict(QUOTAS)
        self._answers: dict[str, Answer] = {"service-quotas:GetServiceQuota": self._quota}
        self.data: dict[str, Any] = {}
        """The environment file, to be changed by a test."""

    def _intercept(self, model: Any, params: Mapping[str, Any], **_: Any) -> tuple[Any, Any] | None:
        name = f"{model.service_model.service_name}:{model.name}"
        self.calls.append(name)
        if name not in self._answers:
            return None
        # JSON protocols have bytes here, EC2's and IAM's query protocols a dict
        body = params["body"]
        answer = self._answers[name](json.loads(body or "{}") if isinstance(body, str | bytes) else body)
        return SimpleNamespace(status_code=400 if "Error" in answer else 200), answer

    def _quota(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if body["QuotaCode"] not in self.limits:
            return refusal("NoSuchResourceException")
        return {"Quota": {"Value": self.limits[body["QuotaCode"]]}}

    def client(self, service: str, region: str = REGION) -> Any:
        """A client that is not recorded, to make and break things with."""
        return _client(service, region)

    def answer(self, call: str, answer: Mapping[str, Any] | Answer) -> None:
        """From now on `call` (service:Operation) is answered with this."""
        self._answers[call] = answer if callable(answer) else lambda _: answer

    @property
    def environment(self) -> Environment:
        return Environment.model_validate_json(json.dumps(self.data))

    def write(self, folder: Path) -> str:
        """The environment file's path, after writing it."""
        path = folder / "dev.yaml"
        path.write_text(yaml.safe_dump(self.data, sort_keys=False))
        return str(path)

    def run(self, *only: str, today: date = TODAY) -> Report:
        return preflight(
            self.environment,
            Aws(self.session, self.data["region"]),
            file="environments/dev.yaml",
            today=today,
            images=lambda _: IMAGES,
            only=only,
        )

    def row(self, check: str, subject: str, *, today: date = TODAY) -> tuple[Row, Report]:
        """The row of one subject, and the report that it is in."""
        report = self.run(check, today=today)
        found = [row for row in report.rows if (row.check, row.verdict.subject) == (check, subject)]
        assert len(found) == 1, [(row.check, row.verdict.subject) for row in report.rows]
        return found[0], report


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Moto, with credentials that are good for nothing else and none of this machine's configuration."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    with mock_aws():
        yield


@pytest.fixture
def closed_port() -> int:
    """A port of this machine at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def account(aws: None) -> Account:
    """A healthy account for an environment that makes its own network; but for the certificate, which `certify` makes."""
    account = Account()
    _bootstrap(account)
    _roles(account)
    _images(account)
    account.data = yaml.safe_load(ENVIRONMENT.read_text())
    account.data["archer"]["endpoint"]["hosted_zone_id"] = hosted_zone(account, "dev.moka.example.com")
    return account


@pytest.fixture
def existing(account: Account) -> Account:
    """A healthy account for an environment that is given everything: VPC, roles, boundary; but for keys: `make_keys`."""
    iam = account.client("iam")
    for name, service in (("eks-control-plane", "eks"), ("eks-nodes", "ec2")):
        role(account, name, f"{service}.amazonaws.com", path="/platform/")
    iam.create_policy(PolicyName="Boundary", PolicyDocument=BOUNDARY)
    data = account.data
    data["network"] = network(account)
    data["bootstrap"] = {"execution_role_arn": f"arn:aws:iam::{ACCOUNT}:role/platform/cloudformation"}
    role(account, "cloudformation", "cloudformation.amazonaws.com", path="/platform/")
    data["permissions"] = {"boundary_arn": f"arn:aws:iam::{ACCOUNT}:policy/Boundary"}
    data["clusters"][0] |= {
        "cluster_role_arn": f"arn:aws:iam::{ACCOUNT}:role/platform/eks-control-plane",
        "node_role_arn": f"arn:aws:iam::{ACCOUNT}:role/platform/eks-nodes",
    }
    data["delivery"] = {"registry": "existing", "registry_uri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/moka-dev"}
    return account


def certify(account: Account) -> None:
    """Makes the certificate of Archer's endpoint; apart from the fixture, because moto makes a real RSA key for it."""
    account.data["archer"]["endpoint"]["certificate_arn"] = certificate(account, HOSTNAME, f"history.{HOSTNAME}")


def make_keys(account: Account) -> None:
    """Makes the keys that a file can name; apart from the fixture for the same reason."""
    keys = {use: key(account) for use in ("secrets", "volumes", "database")}
    data = account.data
    data["clusters"][0]["secrets_key_arn"] = keys["secrets"]
    data["storage"] |= {"key_arn": keys["secrets"], "volumes_key_arn": keys["volumes"], "grants_autoscaling": True}
    data["archer"]["database"] = {"key_arn": keys["database"]}
    data["teams"][0]["data"] = [{"bucket": "example-ads-events", "access": "read", "key_arn": keys["secrets"]}]


@pytest.fixture
def whole(account: Account) -> Account:
    """A new network's account with everything."""
    certify(account)
    return account


@pytest.fixture
def whole_existing(existing: Account) -> Account:
    """An existing network's account with everything."""
    certify(existing)
    make_keys(existing)
    return existing


@pytest.fixture
def keyed(existing: Account) -> Account:
    """An existing network's account with keys."""
    make_keys(existing)
    return existing


def role(account: Account, name: str, service: str, *, path: str = "/") -> None:
    """Makes a role that the service may assume."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    account.client("iam").create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=document)


def key(account: Account, statements: list[dict[str, Any]] | None = None) -> str:
    """Makes a key whose policy has the account's statement and these (default: Auto Scaling's); returns its ARN."""
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    more = needed_statements(autoscaling_role("aws", ACCOUNT)) if statements is None else statements
    policy = json.dumps({"Version": "2012-10-17", "Statement": [root, *more]})
    return str(account.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"])


def certificate(account: Account, name: str, *others: str) -> str:
    """Makes an issued certificate and returns its ARN; moto issues one only after a minute, so it is told to."""
    acm = account.client("acm")
    names = {"SubjectAlternativeNames": list(others)} if others else {}
    arn = str(acm.request_certificate(DomainName=name, ValidationMethod="DNS", **names)["CertificateArn"])
    acm_backends[ACCOUNT][REGION].get_certificate(arn).status = "ISSUED"
    return arn


def hosted_zone(account: Account, name: str) -> str:
    """Makes a hosted zone and returns its id; moto's ids lack the Z that Route 53's begin with, so it is put before them."""
    made = account.client("route53").create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"]
    old = made.removeprefix("/hostedzone/")
    zones = route53_backends[ACCOUNT]["aws"].zones
    zone = zones.pop(old)
    zone.resource_id = f"Z{old}"
    zones[zone.resource_id] = zone
    return str(zone.resource_id)


def network(account: Account) -> dict[str, Any]:
    """Makes a VPC in three zones with a NAT gateway and an S3 endpoint; returns its section of the environment file."""
    ec2 = account.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.20.0.0/20")["Vpc"]["VpcId"]
    ec2.associate_vpc_cidr_block(VpcId=vpc_id, CidrBlock="100.64.0.0/16")
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    subnets = [
        {
            "id": ec2.create_subnet(VpcId=vpc_id, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"],
            "zone": zone,
            "use": use,
            "cidr": cidr,
        }
        for index, zone in enumerate(ZONES)
        for use, cidr in (
            ("nodes", f"100.64.{64 * index}.0/18"),
            ("control_plane", f"10.20.{index}.0/27"),
            ("load_balancer", f"10.20.{index}.64/26"),
        )
    ]
    gateway = ec2.create_nat_gateway(SubnetId=subnets[1]["id"], ConnectivityType="private")["NatGateway"]
    table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway["NatGatewayId"])
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet["id"])
    service = f"com.amazonaws.{REGION}.s3"
    ec2.create_vpc_endpoint(VpcId=vpc_id, VpcEndpointType="Gateway", ServiceName=service, RouteTableIds=[table])
    group = ec2.create_security_group(GroupName="nodes", Description="nodes", VpcId=vpc_id)["GroupId"]
    prefixes = ec2.create_managed_prefix_list(PrefixListName="office", MaxEntries=1, AddressFamily="IPv4")["PrefixList"]
    return {
        "mode": "existing",
        "vpc_id": vpc_id,
        "vpc_cidrs": ["10.20.0.0/20", "100.64.0.0/16"],
        "subnets": subnets,
        "node_security_group_ids": [group],
        "prefix_list_ids": [prefixes["PrefixListId"]],
        "internet_egress": True,
    }


def _bootstrap(account: Account) -> None:
    account.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="33", Type="String")
    for kind in ("cfn-exec-role", "deploy-role", "file-publishing-role"):
        role(account, f"cdk-hnb659fds-{kind}-{ACCOUNT}-{REGION}", "cloudformation.amazonaws.com")
    account.client("s3").create_bucket(Bucket=f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}")


def _roles(account: Account) -> None:
    for name in ("PlatformAdmin", "Auditor"):
        role(account, name, "ec2.amazonaws.com")
    for service, name in SERVICES.items():
        role(account, name, service, path=f"/aws-service-role/{service}/")


def _images(account: Account) -> None:
    ecr = account.client("ecr")
    for image in IMAGES:
        ecr.create_repository(repositoryName=f"moka-dev/{image.repository}")
        kind = "application/vnd.oci.image.manifest.v1+json"
        manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": {"digest": "sha256:0"}, "layers": []})
        ecr.put_image(repositoryName=f"moka-dev/{image.repository}", imageManifest=manifest, imageTag=image.tag)
