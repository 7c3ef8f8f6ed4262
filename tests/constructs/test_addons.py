import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from moka_constructs import ADDON_VERSIONS
from moka_constructs.addons import AddonIdentity, make_addon

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]


def make(template: Template, **changes: Any) -> dict[str, Any]:
    from aws_cdk import CfnWaitConditionHandle

    def build(stack: Any) -> None:
        first = CfnWaitConditionHandle(stack, "First")
        given: dict[str, Any] = {"cluster_name": "c", "kubernetes_version": "1.35", "name": "coredns", "after": [first]}
        make_addon(stack, "Addon", **{**given, **changes})

    (addon,) = (each for each in template(build).values() if each["Type"] == "AWS::EKS::Addon")
    return addon


def test_every_version_names_the_same_addons_and_none_is_latest() -> None:
    names = {frozenset(row) for row in ADDON_VERSIONS.values()}

    assert len(names) == 1
    for row in ADDON_VERSIONS.values():
        assert all(re.fullmatch(r"v\d+\.\d+\.\d+-eksbuild\.\d+", version) for version in row.values())


def test_kube_proxy_follows_the_minor_version_of_the_cluster() -> None:
    for kubernetes, row in ADDON_VERSIONS.items():
        assert row["kube-proxy"].startswith(f"v{kubernetes}.")


def test_an_addon_is_pinned_and_waits(template: Template) -> None:
    addon = make(template)

    assert addon["Properties"]["AddonVersion"] == ADDON_VERSIONS["1.35"]["coredns"]
    assert addon["DependsOn"] == ["First"]
    assert addon["Properties"]["ResolveConflicts"] == "OVERWRITE"


def test_settings_are_handed_over_as_json(template: Template) -> None:
    addon = make(template, configuration={"autoScaling": {"enabled": True}})

    assert json.loads(addon["Properties"]["ConfigurationValues"]) == {"autoScaling": {"enabled": True}}


@pytest.mark.parametrize(
    ("mechanism", "key"), [("irsa", "ServiceAccountRoleArn"), ("pod_identity", "PodIdentityAssociations")]
)
def test_an_addon_has_one_identity(template: Template, mechanism: Any, key: str) -> None:
    identity = AddonIdentity(role_arn="arn:aws:iam::1:role/r", service_account="sa", mechanism=mechanism)
    properties = make(template, identity=identity)["Properties"]
    other = {"ServiceAccountRoleArn", "PodIdentityAssociations"} - {key}

    assert key in properties
    assert not other & set(properties)
