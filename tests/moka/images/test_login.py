import pytest
from moto import mock_aws

from environments import load
from moka.errors import BadInputError
from moka.images.login import ecr_login


def test_the_way_into_ecr_is_a_token_of_the_callers_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    environment = load("dev")
    with mock_aws():
        login = ecr_login(environment, None)

    assert login is not None
    assert login.host == f"{environment.account}.dkr.ecr.{environment.region}.amazonaws.com"
    assert login.user == "AWS"
    assert login.password


def test_another_registry_is_entered_with_what_the_programs_know() -> None:
    environment = load("dev")
    delivery = environment.delivery.model_copy(
        update={"registry": "existing", "registry_uri": "registry.example.com/moka"}
    )

    assert ecr_login(environment.model_copy(update={"delivery": delivery}), None) is None


def test_without_credentials_the_message_says_how_to_get_some(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", f"{tmp_path}/none")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", f"{tmp_path}/none")

    with pytest.raises(BadInputError, match="no usable AWS credentials"):
        ecr_login(load("dev"), None)
