import pytest

from moka_constructs.manifest_set.handler.references import Reference, images, is_create_only, pod_spec, with_label

from .conftest import a_deployment, an_object


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        (Reference("", "v1", "Namespace", "", "spark-ads"), "v1 Namespace spark-ads"),
        (Reference("apps", "v1", "Deployment", "a", "b"), "apps/v1 Deployment a/b"),
        (
            Reference("rbac.authorization.k8s.io", "v1", "ClusterRole", "", "system:moka"),
            "rbac.authorization.k8s.io/v1 ClusterRole system:moka",
        ),
    ],
)
def test_a_reference_is_a_line_and_a_line_is_a_reference(reference: Reference, text: str) -> None:
    assert reference.to_text() == text
    assert Reference.from_text(text) == reference


def test_another_version_of_an_api_is_the_same_object() -> None:
    old = Reference.of(an_object("CronJob", "a", "b", api="batch/v1beta1"))
    new = Reference.of(an_object("CronJob", "a", "b", api="batch/v1"))

    assert old != new
    assert old.key == new.key


@pytest.mark.parametrize(
    "manifest", [{}, {"kind": "Role", "metadata": {"name": "x"}}, {"apiVersion": "v1", "kind": "Pod"}]
)
def test_a_manifest_without_identity_is_refused(manifest: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"needs apiVersion, kind and metadata\.name"):
        Reference.of(manifest)


def test_the_sets_label_is_added_to_those_that_are_there() -> None:
    manifest = an_object("ConfigMap", "a", "b", metadata={"labels": {"app": "x"}})

    assert with_label(manifest, "platform")["metadata"]["labels"] == {"app": "x", "moka.dev/set": "platform"}
    assert manifest["metadata"]["labels"] == {"app": "x"}


def test_create_only_is_said_by_an_annotation_that_is_true() -> None:
    def secret(value: str) -> dict[str, object]:
        return an_object("Secret", "a", "b", metadata={"annotations": {"moka.dev/create-only": value}})

    assert is_create_only(secret("true"))
    assert not is_create_only(secret("false"))
    assert not is_create_only(an_object("Secret", "a", "b"))


def test_images_are_those_of_every_container_of_every_kind_that_makes_pods() -> None:
    pod = {"initContainers": [{"name": "i", "image": "init:1"}], "containers": [{"name": "c", "image": "main:1"}]}
    cron = an_object("CronJob", "a", "b", api="batch/v1", spec={"jobTemplate": {"spec": {"template": {"spec": pod}}}})

    assert list(images(cron)) == ["init:1", "main:1"]
    assert list(images(an_object("Pod", "a", "b", spec=pod))) == ["init:1", "main:1"]
    assert list(images(a_deployment("a", "b", image="x:2"))) == ["x:2"]
    assert list(images(an_object("ConfigMap", "a", "b", data={"image": "x"}))) == []
    assert pod_spec(an_object("Service", "a", "b")) is None
