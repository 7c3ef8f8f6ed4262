import pytest

from moka.errors import BadInputError
from moka.images.tools import Manifest, NoRepositoryError, ToolError, absent, answer, find_tool, loopback, work
from tests.moka.images.conftest import Programs, index

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com/moka-dev/pause:3.10"
OTHER = "registry.example.com/moka-dev/pause:3.10"


def test_a_digest_is_of_the_very_bytes() -> None:
    assert Manifest(raw=b"{}").digest == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_platforms_are_those_of_the_index_without_attestations() -> None:
    raw = index("linux/amd64", "linux/arm64", "unknown/unknown")

    assert Manifest(raw=raw).platforms == frozenset({"linux/amd64", "linux/arm64"})
    assert Manifest(raw=b'{"layers": []}').platforms is None


@pytest.mark.parametrize(
    "text",
    [
        "reading manifest 3.10 in docker.io/a/b: manifest unknown: manifest unknown",
        "manifest unknown: Requested image not found",
        "ERROR: docker.io/a/b:3.10: not found",
    ],
)
def test_a_tag_that_is_not_there_is_no_error(text: str) -> None:
    absent(ToolError(text), ECR)


def test_in_ecr_an_unknown_name_is_a_repository_that_lacks_elsewhere_it_comes_with_the_push() -> None:
    error = ToolError("name unknown: The repository with name 'moka-dev/pause' does not exist in the registry")

    with pytest.raises(NoRepositoryError):
        absent(error, ECR)
    absent(error, OTHER)


def test_another_answer_stays_an_error() -> None:
    with pytest.raises(ToolError, match="unauthorized"):
        absent(ToolError("unauthorized: authentication required"), ECR)


@pytest.mark.parametrize(
    ("reference", "local"),
    [
        ("127.0.0.1:5000/a:1", True),
        ("localhost/a:1", True),
        ("localhost:5000/a", True),
        ("[::1]:5000/a", True),
        ("registry.example.com/localhost:1", False),
        ("10.0.0.1:5000/a", False),
    ],
)
def test_only_a_registry_of_this_machine_may_speak_plain_http(reference: str, local: bool) -> None:
    assert loopback(reference) is local


def test_a_program_that_fails_is_told_by_its_last_lines(programs: Programs) -> None:
    programs.add("skopeo", complains="one\ntwo\n\nthree\nfour\n", code=1)

    with pytest.raises(ToolError, match=r"^two / three / four$"):
        answer(["skopeo"])


def test_what_skopeo_logs_is_told_without_the_form_of_its_log(programs: Programs) -> None:
    programs.add(
        "skopeo",
        complains='time="2026-11-25T17:17:54Z" level=fatal msg="Get \\"https://x/v2/\\": no such host"\n',
        code=1,
    )

    with pytest.raises(ToolError, match=r'^Get "https://x/v2/": no such host$'):
        answer(["skopeo"])


def test_work_shows_its_progress_and_is_told_by_its_last_lines(
    programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    programs.add("buildah", says="STEP 1\nSTEP 2\n", complains="no space left\n", code=125)

    with pytest.raises(ToolError, match=r"buildah ended with 125: .*no space left"):
        work(["buildah"])
    assert "STEP 1\n" in capsys.readouterr().err


def test_docker_is_taken_when_it_works_else_skopeo_with_buildah(programs: Programs) -> None:
    programs.add("skopeo")
    programs.add("buildah")
    assert find_tool(None, builds=True).name == "skopeo"

    programs.add("docker", says="v0.30")
    assert find_tool(None, builds=True).name == "docker"
    assert find_tool("skopeo", builds=True).name == "skopeo"

    programs.add("docker", complains="Cannot connect to the Docker daemon", code=1)
    assert find_tool(None, builds=True).name == "skopeo"


def test_buildah_is_asked_for_only_when_there_is_something_to_build(programs: Programs) -> None:
    programs.add("skopeo")

    assert find_tool(None, builds=False).name == "skopeo"
    with pytest.raises(BadInputError, match="skopeo: buildah not on PATH"):
        find_tool(None, builds=True)


def test_without_any_program_the_message_says_what_to_install(programs: Programs) -> None:
    with pytest.raises(BadInputError) as told:
        find_tool(None, builds=True)

    assert str(told.value) == (
        "no program here can do it (docker: not on PATH; skopeo: skopeo and buildah not on PATH); install Docker with "
        "buildx, or skopeo and buildah (Debian: apt-get install skopeo buildah)"
    )


def test_an_unknown_program_is_refused_with_those_that_there_are(programs: Programs) -> None:
    with pytest.raises(BadInputError, match="must be one of docker, skopeo, got 'kaniko'"):
        find_tool("kaniko", builds=True)


def test_a_named_program_that_does_not_work_is_not_replaced(programs: Programs) -> None:
    programs.add("skopeo")
    programs.add("buildah")
    programs.add("docker", complains="docker: unknown command: docker buildx", code=1)

    with pytest.raises(BadInputError, match=r"\(docker: docker: unknown command: docker buildx\)"):
        find_tool("docker", builds=True)
