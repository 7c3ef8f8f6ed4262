from moka_constructs.manifest_set.handler.order import repeated, waves

from .conftest import a_crd, a_deployment, an_object, as_files


def test_crds_come_first_then_namespaces_then_the_files_in_order_and_in_each_the_workloads_last() -> None:
    files = as_files(
        {
            "20-b.yaml": [a_deployment("d", "n"), an_object("Role", "r", "n"), an_object("Namespace", "n2")],
            "10-a.yaml": [an_object("ConfigMap", "c", "n"), an_object("Namespace", "n"), a_crd("Thing")],
        }
    )

    found = [(wave.name, [manifest["metadata"]["name"] for manifest in wave.manifests]) for wave in waves(files)]

    assert found == [
        ("CRDs", ["things.example.com"]),
        ("namespaces", ["n", "n2"]),
        ("10-a.yaml", ["c"]),
        ("20-b.yaml", ["r"]),
        ("20-b.yaml", ["d"]),
    ]


def test_an_object_that_two_files_hold_is_found() -> None:
    files = as_files({"a.yaml": [an_object("ConfigMap", "c", "n")], "b.yaml": [an_object("ConfigMap", "c", "n")]})

    assert [str(each) for each in repeated(files)] == ["ConfigMap n/c"]
    assert repeated(files[:1]) == []
