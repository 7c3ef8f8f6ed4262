import pytest

from moka_constructs.statements import (
    Statement,
    assume_roles,
    encrypt_volumes,
    list_bucket,
    policy_document,
    read_objects,
    use_glue,
    use_key,
    write_objects,
)

BUCKET = "arn:aws:s3:::data"
KEY = "arn:aws:kms:us-east-1:111111111111:key/1"


def test_a_statement_on_everything_needs_a_condition() -> None:
    with pytest.raises(ValueError, match="statement Read allows s3:GetObject on every resource; name them or add"):
        Statement(sid="Read", actions=("s3:GetObject",), resources=("*",))

    allowed = Statement(
        sid="Read", actions=("s3:GetObject",), resources=("*",), conditions={"Bool": {"aws:SecureTransport": "true"}}
    )
    assert allowed.to_json()["Condition"] == {"Bool": {"aws:SecureTransport": "true"}}


def test_a_document_keeps_the_order_of_its_statements() -> None:
    document = policy_document([read_objects("B", BUCKET), use_key("A", KEY, write=False)])

    assert document["Version"] == "2012-10-17"
    assert [each["Sid"] for each in document["Statement"]] == ["B", "A"]


def test_listing_is_limited_to_the_prefix_and_to_the_folder_itself() -> None:
    limited = list_bucket("List", BUCKET, "ads/").to_json()

    assert limited["Resource"] == [BUCKET]
    assert limited["Condition"] == {"StringLike": {"s3:prefix": ["ads", "ads/*"]}}
    assert "Condition" not in list_bucket("List", BUCKET).to_json()


def test_reading_is_reading() -> None:
    statement = read_objects("Read", BUCKET, "ads/").to_json()

    assert statement["Action"] == ["s3:GetObject"]
    assert statement["Resource"] == [f"{BUCKET}/ads/*"]


def test_writing_covers_what_s3a_committers_do_and_no_policy_or_acl() -> None:
    actions = set(write_objects("Write", BUCKET, "ads/").actions)

    assert {"s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"} <= actions
    assert not any("Acl" in action or "Policy" in action or "*" in action for action in actions)


@pytest.mark.parametrize(
    ("write", "actions"), [(False, {"kms:Decrypt"}), (True, {"kms:Decrypt", "kms:GenerateDataKey"})]
)
def test_a_reader_of_a_key_cannot_make_data_keys(write: bool, actions: set[str]) -> None:
    assert set(use_key("Key", KEY, write=write).actions) == actions


def test_volume_grants_are_for_aws_services_only() -> None:
    use, grant = (statement.to_json() for statement in encrypt_volumes("Volumes", KEY))

    assert grant["Action"] == ["kms:CreateGrant"]
    assert grant["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert "kms:CreateGrant" not in use["Action"]
    assert use["Resource"] == grant["Resource"] == [KEY]


def test_glue_is_limited_to_databases_and_the_default_one_has_no_tables() -> None:
    prefix = "arn:aws:glue:us-east-1:111111111111"
    resources = use_glue("Glue", prefix, ["ads_*"]).resources

    assert set(resources) == {
        f"{prefix}:catalog",
        f"{prefix}:database/default",
        f"{prefix}:database/ads_*",
        f"{prefix}:table/ads_*/*",
        f"{prefix}:userDefinedFunction/ads_*/*",
    }


def test_roles_to_assume_are_named() -> None:
    role = "arn:aws:iam::333333333333:role/Writer"

    assert assume_roles("Assume", [role]).to_json()["Resource"] == [role]
