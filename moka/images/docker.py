"""Docker with buildx: builds on its builder, and copies between registries without pulling.

`docker login` keeps the password where Docker keeps all of them (a credential helper where one is set up).
"""

from collections.abc import Collection

from moka.images.tools import Manifest, Recipe, ToolError, absent, answer, work


class Docker:
    """The program."""

    name = "docker"

    def manifest(self, reference: str) -> Manifest | None:
        try:
            return Manifest(raw=answer(["docker", "buildx", "imagetools", "inspect", "--raw", reference]))
        except ToolError as error:
            absent(error, reference)
            return None

    def log_in(self, host: str, user: str, password: str) -> None:
        answer(["docker", "login", "--username", user, "--password-stdin", host], stdin=password)

    def copy(self, source: str, target: str) -> None:
        # one source and no change: the index is copied byte for byte, with every image that it names
        work(["docker", "buildx", "imagetools", "create", "--tag", target, source])

    def build(self, recipe: Recipe, name: str) -> None:
        work([*_build(recipe), "--load", "--tag", name, "."], cwd=recipe.context)

    def build_and_push(self, recipe: Recipe, target: str) -> None:
        work([*_build(recipe), "--push", "--tag", target, "."], cwd=recipe.context)

    def cannot_build(self, platforms: Collection[str]) -> str | None:  # noqa: ARG002  # the builder knows, and says it
        return None


def _build(recipe: Recipe) -> list[str]:
    return ["docker", "buildx", "build", "--platform", ",".join(recipe.platforms), *recipe.options()]
