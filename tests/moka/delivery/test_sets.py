import pytest

from environments import environment_names, load
from moka.delivery.sets import chosen_clusters, rendered_sets
from moka.errors import BadInputError, MokaError
from moka.render import rendered_files


@pytest.mark.parametrize("name", environment_names())
def test_sets_hold_every_rendered_file_once(name: str) -> None:
    environment = load(name)
    files = [
        f"{cluster.name}/{file.name}"
        for cluster in environment.clusters
        for rendered in rendered_sets(environment, cluster)
        for file in rendered.files
    ]

    assert sorted(files) == sorted(str(each.path) for each in rendered_files(environment) if each.path.parent.name)


def test_archers_set_comes_last() -> None:
    environment = load("prod")
    sets = rendered_sets(environment, environment.cluster("batch"))

    assert [each.name for each in sets] in (["platform"], ["platform", "archer"])
    assert str(sets[0]) == "prod/batch platform"
    assert sets[0].eks_cluster == "moka-prod-batch"


def test_clusters_are_chosen_by_name_and_all_without_a_choice() -> None:
    prod = load("prod")

    assert [each.name for each in chosen_clusters(prod, None)] == [each.name for each in prod.clusters]
    assert [each.name for each in chosen_clusters(prod, ["adhoc", "adhoc"])] == ["adhoc"]
    with pytest.raises(BadInputError, match="`--cluster` must be one of batch, adhoc, got batsch"):
        chosen_clusters(prod, ["batsch"])


def test_an_environment_that_cannot_be_rendered_is_told() -> None:
    dev = load("dev")
    (cluster,) = dev.clusters
    broken = cluster.model_copy(update={"pools": tuple(pool for pool in cluster.pools if pool.role != "system")})

    with pytest.raises(MokaError, match=r"environment dev cannot be rendered: .*no pool of role 'system'"):
        rendered_sets(dev.model_copy(update={"clusters": (broken,)}), broken)
