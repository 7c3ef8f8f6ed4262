"""Delivers a set, shows what a delivery would change, and takes a set away: the table of contents of this package.

Before anything is changed: images are looked up, and the server judges what it can (a dry run). Then CRDs, namespaces,
values, the files in their order, what left the set, the rollouts. Every step tells all its problems at once, and a set that
stopped half way is completed by the next apply.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from . import images, rollout, values
from .access import wait_for_access
from .apply import Applier, Outcome
from .client import JSON, METADATA_LIST, ApiError, Client
from .crds import wait_until_served
from .diff import Difference, differences
from .discovery import Discovery, collection
from .errors import Problem, SetError
from .inventory import Inventory
from .jobs import release_finalizers
from .order import ManifestFile, repeated, waves
from .prune import Removal, Remover
from .references import CRD, NAMESPACE, SET_LABEL, Manifest, Reference, keys
from .workers import each_of

ACCESS_SECONDS: Final = 90.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a set is delivered."""

    set_name: str
    owner: str
    """Name of the cluster that the set is made for."""
    prune: bool = True
    """Delete what left the set."""
    everything: bool = False
    """Delete CRDs and namespaces with jobs, too."""
    force_fields: tuple[str, ...] = ()
    """Fields to take from whoever owns them."""
    platform_values: dict[str, str] | None = None
    """What goes into the ConfigMap moka-platform; None leaves it alone."""
    wait: bool = True
    """Wait for rollouts on the system pool."""
    access_seconds: float = 0.0
    """How long the identity may be refused at first."""


@dataclass(kw_only=True)
class Result:
    """What a delivery did."""

    outcomes: dict[Reference, Outcome] = field(default_factory=dict)
    removal: Removal = field(default_factory=Removal)
    left_over: list[Reference] = field(default_factory=list)
    """Members that left the set and were not to be pruned."""

    def counts(self) -> dict[str, int]:
        """Return how many objects had which outcome."""
        found = {str(outcome): 0 for outcome in Outcome}
        for outcome in self.outcomes.values():
            found[str(outcome)] += 1
        return {**found, "pruned": len(self.removal.removed), "kept": len(self.removal.kept)}

    def to_json(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {
            "counts": self.counts(),
            "objects": {str(reference): str(outcome) for reference, outcome in self.outcomes.items()},
            "pruned": [str(reference) for reference in self.removal.removed],
            "kept": {str(reference): why for reference, why in self.removal.kept.items()},
            "no longer ours": {str(reference): why for reference, why in self.removal.foreign.items()},
            "left over": [str(reference) for reference in self.left_over],
        }


@dataclass(kw_only=True)
class Delivery:
    """One set on one cluster."""

    client: Client
    options: Options
    say: Callable[[str], None]
    """Gets a line for each step."""
    session: Any = None
    """boto3 session to look images up with; None looks none up."""
    account: str = ""
    touched: bool = False
    """Whether anything was sent that changes the cluster."""
    known_before: bool = False
    """Whether the cluster had the set before."""

    def __post_init__(self) -> None:
        """Make what the steps share."""
        self.discovery = Discovery(client=self.client)
        self.inventory = Inventory(client=self.client, set_name=self.options.set_name, owner=self.options.owner)
        self.applier = Applier(
            client=self.client,
            discovery=self.discovery,
            set_name=self.options.set_name,
            force_fields=self.options.force_fields,
        )

    def apply(self, files: Sequence[ManifestFile]) -> Result:
        """Make the cluster's set what the files say. Raises SetError, UnreachableError, OutOfTimeError."""
        ordered = self._ordered(files)
        if self.session is not None:
            self.say("looking up images")
            images.check(self.session, self.account, ordered)
        self._begin()
        self._read_live(map(Reference.of, ordered))
        judged = self._judgeable(ordered)
        self.say(f"checking {len(judged)} of {len(ordered)} objects")
        self.applier.check_all("the API server would refuse", judged)
        new = [Reference.of(manifest) for manifest in ordered]
        gone = self._gone(new)
        self.touched = True
        self.inventory.write([*new, *gone])
        result = Result()
        self._apply_waves(files, result)
        if self.options.prune:
            self._prune(gone, result)
        else:
            result.left_over = gone
        self.inventory.write([*new, *(result.removal.kept if self.options.prune else gone)])
        if self.options.wait:
            self._wait(ordered)
        return result

    def diff(self, files: Sequence[ManifestFile]) -> tuple[list[Difference], list[Reference]]:
        """Return what an apply would change, and which members left the set and would be pruned."""
        ordered = self._ordered(files)
        self._begin()
        self.say(f"comparing {len(ordered)} objects")
        gone = self._gone([Reference.of(manifest) for manifest in ordered])
        kept = self._remover().judge(gone)
        return differences(self.applier, ordered), [reference for reference in gone if reference not in kept]

    def delete(self) -> Removal:
        """Take the set away, but for what must stay. Raises SetError, UnreachableError, OutOfTimeError."""
        self._begin()
        namespaces = [each.name for each in self.inventory.members if each.kind == NAMESPACE]
        for pod in release_finalizers(self.client, namespaces, running=self.options.everything):
            self.say(f"released the finalizer of pod {pod}")
        if self.options.platform_values is not None:
            values.remove(self.client, self.options.set_name)
        removal = self._remover().remove(self.inventory.members)
        if removal.kept:
            self.inventory.write(reference for reference in self.inventory.members if reference in removal.kept)
        else:
            self.inventory.delete()
        return removal

    def _ordered(self, files: Sequence[ManifestFile]) -> list[Manifest]:
        twice = repeated(files)
        if twice:
            raise SetError(
                "the set names objects twice", [Problem(str(each), "remove one of the two") for each in twice]
            )
        return [manifest for wave in waves(files) for manifest in wave.manifests]

    def _begin(self) -> None:
        self.say(f"connecting to {self.client.server.url}")
        wait_for_access(self.client, self.options.access_seconds)
        self.inventory.read()
        self.known_before = self.inventory.exists

    def _gone(self, new: Sequence[Reference]) -> list[Reference]:
        """Return the members that left the set. Raises SetError for a namespace that left alone: its members would go with it."""
        there = keys(new)
        gone = [reference for reference in self.inventory.members if reference.key not in there]
        alone = {each.name: each for each in gone if each.kind == NAMESPACE} if self.options.prune else {}
        left = {each.namespace: each for each in new if each.namespace in alone}
        if left:
            problems = [
                Problem(str(alone[name]), f"it left the set, but {member} in it did not; keep both or neither")
                for name, member in left.items()
            ]
            raise SetError("a namespace cannot go without what is in it", problems)
        return gone

    def _judgeable(self, manifests: Sequence[Manifest]) -> list[Manifest]:
        """Return the manifests that a dry run can judge: not those whose namespace or CRD comes with the set.

        CRDs are left out as well: each costs the server as much as fifty others, and what is wrong with one shows when the
        names that it claims are accepted, not before.
        """
        found = self.client.request("GET", "/api/v1/namespaces", accept=METADATA_LIST)
        there = {each["metadata"]["name"] for each in found.get("items") or ()}
        coming = {each["metadata"]["name"] for each in manifests if each["kind"] == NAMESPACE} - there
        kinds = {(each["spec"]["group"], each["spec"]["names"]["kind"]) for each in manifests if each["kind"] == CRD}

        def judged(manifest: Manifest) -> bool:
            reference = Reference.of(manifest)
            new_kind = (reference.group, reference.kind) in kinds and self.discovery.find(reference) is None
            return reference.kind != CRD and reference.namespace not in coming and not new_kind

        return [manifest for manifest in manifests if judged(manifest)]

    def _apply_waves(self, files: Sequence[ManifestFile], result: Result) -> None:
        written = self.options.platform_values is None
        for wave in waves(files):
            if not written and wave.manifests[0]["kind"] not in {CRD, NAMESPACE}:
                self._write_values()
                written = True
            self.say(f"applying {wave.name}: {len(wave.manifests)} objects")
            result.outcomes |= self.applier.apply_all(f"applying {wave.name}", wave.manifests)
            if wave.manifests[0]["kind"] == CRD:
                wait_until_served(self.client, wave.manifests)
                self.discovery.forget()
        if not written:
            self._write_values()

    def _write_values(self) -> None:
        try:
            values.write(self.client, self.options.set_name, self.options.platform_values or {})
        except ApiError as error:
            subject = f"ConfigMap {values.NAMESPACE}/{values.NAME}"
            raise SetError("values of the deploy cannot be written", [Problem(subject, error.message)]) from error

    def _read_live(self, references: Iterable[Reference]) -> None:
        """Learn what the set has in the cluster: what would not change is not sent."""
        kinds = {(each.group, each.version, each.kind): each for each in references}

        def read(reference: Reference) -> None:
            resource = self.discovery.find(reference)
            if resource is None:
                return
            query = {"labelSelector": f"{SET_LABEL}={self.options.set_name}"}
            # a CRD is a megabyte, and is always sent
            accept = METADATA_LIST if reference.kind == CRD else JSON
            found = self.client.request("GET", collection(resource), query=query, accept=accept)
            for each in found.get("items") or ():
                metadata = each["metadata"]
                key = reference.group, reference.kind, metadata.get("namespace", ""), metadata["name"]
                self.applier.live[key] = each

        each_of(read, kinds.values())

    def _prune(self, gone: Sequence[Reference], result: Result) -> None:
        if gone:
            self.say(f"removing {len(gone)} objects that left the set")
            result.removal = self._remover().remove(gone)
            for reference, why in result.removal.kept.items():
                self.say(f"{reference} stays: {why}")

    def _remover(self) -> Remover:
        return Remover(
            client=self.client,
            discovery=self.discovery,
            set_name=self.options.set_name,
            everything=self.options.everything,
            say=self.say,
        )

    def _wait(self, manifests: Sequence[Manifest]) -> None:
        waited = [manifest for manifest in manifests if rollout.is_waited_for(manifest)]
        if waited:
            rollout.wait_for(self.client, self.discovery, waited, self.say)
