"""The arithmetic of pods and nodes, against Archer's: it is written twice because neither package may import the other."""

from collections.abc import Callable

import pytest

from archer import memory
from archer.spark_application.places import USABLE
from archer.spark_application.sizes import sizes_of
from archer.submission import Driver, Executor, Submission
from environments.checks import places
from environments.instances import InstanceType, instance_types
from environments.model import Environment
from environments.service import ProfileResources

Make = Callable[..., Environment]


def test_what_archer_gives_a_job_that_says_nothing_is_the_default() -> None:
    assert (places.DEFAULT.cores, places.DEFAULT.memory) == (Driver().cores, Driver().memory)
    assert (places.DEFAULT.cores, places.DEFAULT.memory) == (Executor().cores, Executor().memory)
    assert places.DEFAULT.instances == Executor().instances


def test_as_much_of_a_node_may_be_used_as_archer_uses() -> None:
    assert places.USABLE == USABLE


@pytest.mark.parametrize("heap", ["512m", "3839m", "3841m", "24g", "36g", "1t"])
def test_a_pod_is_as_large_as_archer_makes_that_of_a_jvm(heap: str) -> None:
    size = places.pod_size(ProfileResources(cores=2, memory=heap))

    assert size.memory_mib == memory.with_overhead_mib(heap, None, python=False)


@pytest.mark.parametrize(
    "conf",
    [
        {"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "1073741824"},
        {"spark.memory.offHeap.enabled": "TRUE ", "spark.memory.offHeap.size": " 20g "},
        {"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "1500KB"},
        {"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "${room}"},
        {"spark.memory.offHeap.enabled": "false", "spark.memory.offHeap.size": "20g"},
        {"spark.memory.offHeap.size": "20g"},
        {"spark.memory.offHeap.enabled": "true"},
    ],
)
def test_memory_off_the_heap_is_read_as_archer_reads_it(conf: dict[str, str]) -> None:
    application = {"file": "s3a://bucket/job.jar", "main_class": "com.example.Job"}
    sizes = sizes_of(Submission.model_validate({"name": "job", "application": application}), conf=conf)

    assert places.off_heap_mib(conf) == sizes.executor.off_heap_mib


def _node() -> InstanceType:
    return instance_types()["r8gd.4xlarge"]  # 16 vCPU, 131,072 MiB, of which 111,411 may be used


@pytest.mark.parametrize(
    ("cores", "memory_mib", "fits"), [(15, 111_411, True), (16, 1024, False), (1, 111_412, False), (1, 1024, True)]
)
def test_a_node_keeps_a_core_and_a_part_of_its_memory(cores: int, memory_mib: int, *, fits: bool) -> None:
    assert places.PodSize(cores=cores, memory_mib=memory_mib).fits(_node()) is fits


def test_properties_of_the_profile_cover_the_teams_and_those_the_environments(environment: Make) -> None:
    key, switch = "spark.memory.offHeap.size", {"spark.memory.offHeap.enabled": "true"}
    changes = {"spark": {"conf": {**switch, key: "1g"}}, "teams.0.conf": {key: "2g"}, "profiles.1.conf": {key: "4g"}}
    made = environment("staging", changes)

    off_heap = [
        [place.executor.memory_mib - places.pod_size(profile.executor).memory_mib for place in each]
        for profile in made.profiles
        for each in [[place for place in places.places_of(made, profile) if place.architecture == "arm64"]]
    ]

    assert [team.name for team in made.teams] == ["ads", "content", "release"]
    assert off_heap == [[2048, 1024, 1024], [4096, 4096, 4096]]


def test_an_image_that_the_file_lists_is_built_for_what_it_says_and_any_other_for_both(environment: Make) -> None:
    image = {"version": "3.5.6", "image": "registry.example.com/spark:3.5.6", "architectures": ["amd64"]}
    made = environment("staging", {"spark": {"images": [image]}, "profiles.0.spark_version": "3.5.6"})

    assert places.image_architectures(made, made.profiles[0]) == ("amd64",)
    assert places.image_architectures(made, made.profiles[1]) == ("amd64", "arm64")
