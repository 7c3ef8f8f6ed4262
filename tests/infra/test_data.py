from collections.abc import Callable
from typing import Any

import pytest

from environments import environment_names, load, names
from moka.assembly import SynthesizedStack

Stacks = dict[str, SynthesizedStack]
OfKind = Callable[[SynthesizedStack, str], list[dict[str, Any]]]


def buckets(stack: SynthesizedStack) -> dict[str, dict[str, Any]]:
    """{name: whole resource}."""
    return {
        resource["Properties"]["BucketName"]: resource
        for resource in stack.resources.values()
        if resource["Type"] == "AWS::S3::Bucket"
    }


def data_stacks(stacks: Stacks) -> list[tuple[str, SynthesizedStack]]:
    return [(name, stacks[f"{name}/data"]) for name in environment_names()]


def lifecycle(bucket: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {rule["Id"]: rule for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]}


def test_buckets_have_the_names_that_charts_compute(stacks: Stacks) -> None:
    for name, stack in data_stacks(stacks):
        environment = load(name)
        uses: list[names.BucketUse] = ["event-logs", "container-logs", "artifacts", "staging"]
        expected = {names.bucket(environment, use) for use in uses}
        if environment.storage.access_logs:
            expected.add(names.bucket(environment, "access-logs"))

        assert set(buckets(stack)) == expected


def test_every_bucket_refuses_requests_without_tls(stacks: Stacks, of_kind: OfKind) -> None:
    for _, stack in data_stacks(stacks):
        policies = of_kind(stack, "AWS::S3::BucketPolicy")

        assert len(policies) == len(buckets(stack))
        denied = set()
        for policy in policies:
            (statement,) = (each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Deny")
            assert statement["Principal"] == {"AWS": "*"}
            assert statement["Action"] == "s3:*"
            assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            whole, objects = statement["Resource"]
            logical_id, _ = whole["Fn::GetAtt"]
            assert objects == {"Fn::Join": ["", [whole, "/*"]]}
            assert policy["Bucket"] == {"Ref": logical_id}
            denied.add(stack.resources[logical_id]["Properties"]["BucketName"])
        assert denied == set(buckets(stack))


def test_every_bucket_is_private_and_belongs_to_the_account(stacks: Stacks) -> None:
    for _, stack in data_stacks(stacks):
        for bucket in buckets(stack).values():
            assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
            (rule,) = bucket["Properties"]["OwnershipControls"]["Rules"]
            assert rule == {"ObjectOwnership": "BucketOwnerEnforced"}


def test_data_is_encrypted_with_the_platforms_key(stacks: Stacks) -> None:
    for environment, stack in data_stacks(stacks):
        given = load(environment).storage.key_arn
        for name, bucket in buckets(stack).items():
            (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            default = rule["ServerSideEncryptionByDefault"]

            if "access-logs" in name:
                assert default == {"SSEAlgorithm": "AES256"}  # S3 cannot write access logs under a customer key
            else:
                assert default["SSEAlgorithm"] == "aws:kms"
                assert default["KMSMasterKeyID"] == given or (
                    given is None and "Fn::GetAtt" in default["KMSMasterKeyID"]
                )
                assert rule["BucketKeyEnabled"] is True


def test_an_existing_key_is_used_and_none_is_made(dev_with: Callable[..., Stacks], of_kind: OfKind) -> None:
    key = "arn:aws:kms:us-east-1:111111111111:key/00000000-0000-4000-8000-000000000001"
    stack = dev_with(storage={"key_arn": key})["dev/data"]

    assert of_kind(stack, "AWS::KMS::Key") == []
    for bucket in buckets(stack).values():
        (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == key


def test_logs_and_staging_expire_and_artifacts_do_not(stacks: Stacks) -> None:
    for name, stack in data_stacks(stacks):
        environment = load(name)
        storage = environment.storage
        found = buckets(stack)
        wanted: dict[names.BucketUse, int] = {
            "event-logs": storage.event_log_days,
            "container-logs": storage.container_log_days,
            "staging": storage.staging_days,
        }

        for use, days in wanted.items():
            bucket = found[names.bucket(environment, use)]
            assert lifecycle(bucket)["expire-objects"]["ExpirationInDays"] == days
            assert "VersioningConfiguration" not in bucket["Properties"]
        artifacts = found[names.bucket(environment, "artifacts")]
        assert "expire-objects" not in lifecycle(artifacts)
        assert artifacts["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
        kept = lifecycle(artifacts)["drop-old-versions"]["NoncurrentVersionExpiration"]
        assert kept == {"NoncurrentDays": storage.noncurrent_version_days}


def test_unfinished_uploads_are_dropped_where_jobs_write(stacks: Stacks) -> None:
    for name, stack in data_stacks(stacks):
        days = load(name).storage.abort_multipart_days
        for bucket_name, bucket in buckets(stack).items():
            if "access-logs" not in bucket_name:
                rule = lifecycle(bucket)["abort-stale-uploads"]
                assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": days}


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_data_outlives_its_stack_where_the_file_says_retain(stacks: Stacks, name: str) -> None:
    expected = "Retain" if load(name).storage.retain else "Delete"
    lasting = ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::ECR::Repository")

    for resource in stacks[f"{name}/data"].resources.values():
        # messages of the topic live for minutes
        if resource["Type"] in lasting and "topic" not in resource["Properties"].get("Description", ""):
            # CloudFormation's default is to delete
            assert resource.get("DeletionPolicy", "Delete") == expected
            assert resource.get("UpdateReplacePolicy", "Delete") == expected


def test_access_logs_go_to_a_bucket_that_admits_s3_for_our_buckets_only(stacks: Stacks, of_kind: OfKind) -> None:
    stack = stacks["prod/data"]
    target = names.bucket(load("prod"), "access-logs")
    sources = {name for name in buckets(stack) if name != target}

    for name in sources:
        logging = buckets(stack)[name]["Properties"]["LoggingConfiguration"]
        assert logging == {"DestinationBucketName": target, "LogFilePrefix": f"{name}/"}
    (statement,) = (
        statement
        for policy in of_kind(stack, "AWS::S3::BucketPolicy")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Sid"] == "S3WritesAccessLogs"
    )
    assert statement["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert statement["Resource"] == f"arn:aws:s3:::{target}/*"
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "111111111111"}
    assert set(statement["Condition"]["ArnLike"]["aws:SourceArn"]) == {f"arn:aws:s3:::{name}" for name in sources}


def test_buckets_wait_for_the_bucket_and_the_policy_that_take_their_access_logs(stacks: Stacks) -> None:
    """S3 refuses a target bucket that is not there yet, and the templates name it by text."""
    logged = 0
    for name, stack in data_stacks(stacks):
        target = names.bucket(load(name), "access-logs")
        taker = {key for key, each in stack.resources.items() if each["Properties"].get("BucketName") == target}
        policy = {
            key
            for key, each in stack.resources.items()
            if each["Type"] == "AWS::S3::BucketPolicy" and each["Properties"]["Bucket"]["Ref"] in taker
        }
        for bucket in buckets(stack).values():
            if "LoggingConfiguration" in bucket["Properties"]:
                logged += 1
                assert taker
                assert policy
                assert taker | policy <= set(bucket["DependsOn"])
    assert logged == 8


def test_images_are_scanned_immutable_and_found_where_charts_look(stacks: Stacks, of_kind: OfKind) -> None:
    repositories = of_kind(stacks["dev/data"], "AWS::ECR::Repository")
    prefix = names.registry(load("dev")).split("/", 1)[1]

    assert repositories
    for repository in repositories:
        assert repository["RepositoryName"].startswith(f"{prefix}/")
        assert repository["ImageTagMutability"] == "IMMUTABLE"
        assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
        assert repository["EncryptionConfiguration"]["EncryptionType"] == "KMS"


def test_there_is_a_repository_for_every_image_that_charts_use(stacks: Stacks, of_kind: OfKind) -> None:
    from k8s_manifests import IMAGES

    repositories = {each["RepositoryName"] for each in of_kind(stacks["dev/data"], "AWS::ECR::Repository")}
    prefix = names.registry(load("dev")).split("/", 1)[1]

    assert {f"{prefix}/{image.repository}" for image in IMAGES} <= repositories


def test_a_registry_that_exists_already_gets_no_repositories(dev_with: Callable[..., Stacks], of_kind: OfKind) -> None:
    registry = {"registry": "existing", "registry_uri": "registry.example.com/moka"}

    assert of_kind(dev_with(delivery=registry)["dev/data"], "AWS::ECR::Repository") == []


def test_keys_rotate(stacks: Stacks, of_kind: OfKind) -> None:
    for stack in stacks.values():
        for key in of_kind(stack, "AWS::KMS::Key"):
            assert key["EnableKeyRotation"] is True


def test_public_registries_are_cached_where_the_file_says_so(stacks: Stacks, of_kind: OfKind) -> None:
    for name in environment_names():
        environment = load(name)
        rules = of_kind(stacks[f"{name}/data"], "AWS::ECR::PullThroughCacheRule")

        assert {(rule["EcrRepositoryPrefix"], rule.get("CredentialArn")) for rule in rules} == {
            (f"moka-{name}/{cache.upstream}", cache.credential_arn)
            for cache in environment.delivery.pull_through_caches
        }
    assert of_kind(stacks["prod/data"], "AWS::ECR::PullThroughCacheRule")


def test_nodes_may_fetch_what_is_not_cached_yet(stacks: Stacks, of_kind: OfKind) -> None:
    for name in environment_names():
        for path, stack in stacks.items():
            if not path.startswith(f"{name}/cluster-"):
                continue
            (role,) = (each for each in of_kind(stack, "AWS::IAM::Role") if each["RoleName"].endswith("-nodes"))
            statements = [each for policy in role.get("Policies", []) for each in policy["PolicyDocument"]["Statement"]]
            resources = {each for statement in statements for each in statement["Resource"]}

            assert {each.split(":repository/")[1] for each in resources} == {
                f"moka-{name}/{cache.upstream}/*" for cache in load(name).delivery.pull_through_caches
            }


def test_roles_of_other_accounts_get_what_the_file_says_and_the_key(stacks: Stacks, of_kind: OfKind) -> None:
    (grant,) = load("prod").storage.cross_account
    stack = stacks["prod/data"]
    name = names.bucket(load("prod"), grant.bucket)
    (policy,) = (
        each["PolicyDocument"]["Statement"]
        for each in of_kind(stack, "AWS::S3::BucketPolicy")
        if any("Outside" in statement["Sid"] for statement in each["PolicyDocument"]["Statement"])
    )
    outside = {each["Sid"]: each for each in policy if "Outside" in each["Sid"]}
    (key,) = (each for each in of_kind(stack, "AWS::KMS::Key") if each["Description"].startswith("Buckets"))
    (use,) = (each for each in key["KeyPolicy"]["Statement"] if each["Sid"].startswith("Outside"))

    assert {each["Principal"]["AWS"] for each in outside.values()} == {grant.principal_arn}
    assert outside["UseFromOutside1"]["Action"] == ["s3:GetObject"]
    assert outside["UseFromOutside1"]["Resource"] == [f"arn:aws:s3:::{name}/logs/*"]
    assert outside["ListFromOutside1"]["Condition"] == {"StringLike": {"s3:prefix": ["logs", "logs/*"]}}
    assert (use["Principal"], use["Action"]) == ({"AWS": grant.principal_arn}, ["kms:Decrypt"])


def test_nobody_else_is_let_in_from_outside(stacks: Stacks, of_kind: OfKind) -> None:
    for name, stack in data_stacks(stacks):
        for policy in of_kind(stack, "AWS::S3::BucketPolicy"):
            principals = {
                each["Principal"].get("AWS")
                for each in policy["PolicyDocument"]["Statement"]
                if each["Effect"] == "Allow"
            }
            granted = {each.principal_arn for each in load(name).storage.cross_account}
            assert principals - {None} <= granted
