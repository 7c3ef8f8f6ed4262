from moka_constructs import Location

CHINA = Location(partition="aws-cn", account="111111111111", region="cn-north-1")


def test_arns_name_partition_account_and_region_where_aws_does() -> None:
    assert CHINA.arn("eks", "cluster/a") == "arn:aws-cn:eks:cn-north-1:111111111111:cluster/a"
    assert CHINA.bucket_arn("data") == "arn:aws-cn:s3:::data"
    assert CHINA.iam_arn("root") == "arn:aws-cn:iam::111111111111:root"
    assert CHINA.aws_policy_arn("service-role/X") == "arn:aws-cn:iam::aws:policy/service-role/X"
