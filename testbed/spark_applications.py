"""SparkApplications in the hands of a test: made, watched from the first state to the last, their pods moved by hand.

No node is needed: the pods name a scheduler that nobody is, so they stay where they are, and the test plays the kubelet by
writing their status. Every state is recorded from a watch, so one that lasts a millisecond is seen too.
"""

import contextlib
import itertools
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import httpx

from testbed.cluster import Cluster
from testbed.kubernetes import ApiError, Client, Manifest

API: Final = "sparkoperator.k8s.io/v1beta2"
KIND: Final = "SparkApplication"
DRIVER: Final = "spark-kubernetes-driver"
EXECUTOR: Final = "spark-kubernetes-executor"
FINALIZER: Final = "archer.moka.dev/outcome"
NOBODY: Final = "nobody"
"""A scheduler that does not exist."""

Phase = Literal["Pending", "Running", "Succeeded", "Failed", "Unknown"]
_NUMBERS: Final = itertools.count(1)
PATIENCE_SECONDS: Final = 40.0
"""How long anything may take on a machine that is busy, before a test gives up."""


def wait_until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """Return the first true value of `condition`; fails with `what` when it never comes."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.03)
    return found


def pod_template(container: str, **spec: Any) -> Manifest:
    """A pod template that the restricted profile admits and no scheduler takes up."""
    return {
        "metadata": {},
        "spec": {
            "schedulerName": NOBODY,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 185,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": container,
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
            **spec,
        },
    }


def default_spec() -> dict[str, Any]:
    """The smallest specification that Moka would write: every pod field in the templates (design D10)."""
    sizes = {"cores": 1, "coreRequest": "10m", "memory": "64m", "memoryOverhead": "64m", "serviceAccount": "spark"}
    return {
        "type": "Python",
        "mode": "cluster",
        "sparkVersion": "4.0.5",
        "image": "registry.invalid/spark:4.0.5",
        "mainApplicationFile": "local:///opt/spark/examples/src/main/python/pi.py",
        "restartPolicy": {"type": "Never"},
        "driver": {**sizes, "template": pod_template(DRIVER)},
        "executor": {**sizes, "instances": 1, "template": pod_template(EXECUTOR)},
    }


class Applications:
    """The SparkApplications of one namespace, as a context; `create` makes one, and all are gone at the end."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.client = cluster.client()
        self.namespace = namespace
        self._watcher = cluster.client()
        self._seen: dict[str, list[Manifest]] = {}
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._watch, name=f"applications-{namespace}", daemon=True)

    def __enter__(self) -> Self:
        self._version = self._newest()
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended = True
        for api_version, kind in ((API, KIND), ("v1", "Pod")):
            self.client.request("DELETE", self.client.path(api_version, kind, None, self.namespace))
            for left in self.client.list(api_version, kind, self.namespace):
                _release(self.client, api_version, kind, left)
        self._thread.join()
        self._watcher.close()
        self.client.close()

    def create(
        self,
        *,
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        finalizers: tuple[str, ...] = (),
        driver: Mapping[str, Any] | None = None,
        executor: Mapping[str, Any] | None = None,
        template: Mapping[str, Any] | None = None,
        **spec: Any,
    ) -> "Application":
        """Create an application: the default specification with these fields; `template` is the driver's metadata.

        A field of driver or executor that is None is left out.
        """
        body = {**default_spec(), **spec}
        for role, fields in (("driver", driver), ("executor", executor)):
            merged = {**body[role], **(fields or {})}
            body[role] = {key: value for key, value in merged.items() if value is not None}
        body["driver"]["template"]["metadata"].update(template or {})
        name = name or f"app-{next(_NUMBERS)}-{secrets.token_hex(3)}"
        metadata = {
            "name": name,
            "namespace": self.namespace,
            "labels": dict(labels or {}),
            "finalizers": list(finalizers),
        }
        self.client.create({"apiVersion": API, "kind": KIND, "metadata": metadata, "spec": body})
        return self.application(name)

    def application(self, name: str) -> "Application":
        return Application(self, name)

    def history(self, name: str) -> list[Manifest]:
        """Every version of that application, the oldest first."""
        with self._changed:
            return list(self._seen.get(name, ()))

    def wait_for(self, name: str, condition: Callable[[list[Manifest]], bool], what: str, seconds: float) -> None:
        """Wait until the application's history is as it should be; fails with its states when it never is."""
        with self._changed:
            if self._changed.wait_for(lambda: condition(self._seen.get(name, [])), seconds):
                return
        raise AssertionError(f"{name}: not within {seconds:.0f} s: {what}; its states were {self.states(name)}")

    def states(self, name: str) -> list[str]:
        """The states that the application went through."""
        states = (
            manifest.get("status", {}).get("applicationState", {}).get("state", "") for manifest in self.history(name)
        )
        return [state for state, _same in itertools.groupby(states)]

    def _newest(self) -> str:
        version = ""
        for page in self._watcher.pages(API, KIND, self.namespace):
            version = page["metadata"]["resourceVersion"]
            for item in page["items"]:
                self._see(item)
        return version

    def _see(self, manifest: Manifest) -> None:
        with self._changed:
            self._seen.setdefault(manifest["metadata"]["name"], []).append(manifest)
            self._changed.notify_all()

    def _watch(self) -> None:
        while not self._ended:
            # a break is not a gap: the next watch goes on where this one ended, unless the server forgot that version
            try:
                self._watch_once()
            except ApiError as error:
                if error.code == 410:
                    self._version = ""
            except httpx.TransportError:
                time.sleep(0.05)

    def _watch_once(self) -> None:
        self._version = self._version or self._newest()
        events = self._watcher.watch(API, KIND, self.namespace, resource_version=self._version, timeout_seconds=1)
        for event in events:
            self._version = event["object"]["metadata"]["resourceVersion"]
            self._see(event["object"])


@dataclass(frozen=True)
class Application:
    """One application and its pods."""

    among: Applications
    name: str

    # -- the application

    @property
    def client(self) -> Client:
        return self.among.client

    @property
    def namespace(self) -> str:
        return self.among.namespace

    def get(self) -> Manifest | None:
        """The application as the server has it, None when it is gone."""
        return self.client.find(API, KIND, self.name, self.namespace)

    @property
    def status(self) -> dict[str, Any]:
        found = self.get()
        assert found is not None, f"{self.name} is gone"
        status: dict[str, Any] = found.get("status", {})
        return status

    @property
    def state(self) -> str:
        state: str = self.status.get("applicationState", {}).get("state", "")
        return state

    @property
    def error(self) -> str:
        text: str = self.status["applicationState"].get("errorMessage", "")
        return text

    @property
    def states(self) -> list[str]:
        """Every state so far, New as the empty string."""
        return self.among.states(self.name)

    def wait(self, state: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Wait until the application is in that state; returns its status then."""

        def is_there(history: list[Manifest]) -> bool:
            return bool(history) and _state(history[-1]) == state

        self.among.wait_for(self.name, is_there, state, seconds)
        return self.status

    def wait_end(self, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Wait until the application is in a final state; returns its status then."""

        def has_ended(history: list[Manifest]) -> bool:
            return bool(history) and _state(history[-1]) in {"COMPLETED", "FAILED"}

        self.among.wait_for(self.name, has_ended, "an end", seconds)
        return self.status

    def wait_passed(self, *states: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the last states were these, one after the other."""

        def has_passed(history: list[Manifest]) -> bool:
            passed = [state for state, _same in itertools.groupby(map(_state, history))]
            return tuple(passed[-len(states) :]) == states

        self.among.wait_for(self.name, has_passed, " → ".join(states), seconds)

    def stays(self, state: str, seconds: float) -> None:
        """Watch the application for some seconds in which it must be in that state and in no other."""
        self.wait(state)
        before = len(self.states)
        time.sleep(seconds)
        assert len(self.states) == before, f"{self.name} went on: {self.states}"

    def wait_quiet(self, seconds: float = 1.0) -> None:
        """Wait until nobody has written for that long: an operator drops a changed spec when its own write of the status meets it."""
        version: str | None = None
        while version != (version := (self.get() or {})["metadata"]["resourceVersion"]):
            time.sleep(seconds)

    def edit(self, spec: Mapping[str, Any] | None = None, **metadata: Any) -> None:
        """Change the specification or the metadata."""
        body: dict[str, Any] = {"metadata": metadata} if metadata else {}
        if spec is not None:
            body["spec"] = dict(spec)
        self.client.patch(API, KIND, self.name, self.namespace, body=body)

    def nudge(self) -> None:
        """Change a label, which is nothing but an event for the operator."""
        self.edit(labels={"nudge": secrets.token_hex(3)})

    def write_status(self, **status: Any) -> None:
        """Write fields of the status, as the operator would."""
        self.client.patch_status(API, KIND, self.name, self.namespace, status=status)

    def delete(self, propagation: Literal["Background", "Foreground"] = "Background") -> None:
        self.client.delete(API, KIND, self.name, self.namespace, propagation=propagation)

    def wait_gone(self, seconds: float = PATIENCE_SECONDS) -> None:
        wait_until(lambda: self.get() is None, f"{self.name} is gone", seconds)

    # -- its pods

    def driver(self) -> Manifest | None:
        """The driver pod, None when there is none."""
        return self.client.find("v1", "Pod", f"{self.name}-driver", self.namespace)

    def wait_driver(self, *, but_not: str = "") -> Manifest:
        """Wait for the driver pod, or for another one than that uid's."""

        def found() -> Manifest | None:
            pod = self.driver()
            return pod if pod is not None and pod["metadata"]["uid"] != but_not else None

        pod: Manifest = wait_until(found, f"a driver pod of {self.name}")
        return pod

    def wait_no_driver(self) -> None:
        wait_until(lambda: self.driver() is None, f"the driver pod of {self.name} is gone")

    def executors(self) -> list[Manifest]:
        """The executor pods by their number."""
        selector = f"sparkoperator.k8s.io/app-name={self.name},spark-role=executor"
        pods = self.client.list("v1", "Pod", self.namespace, labelSelector=selector)
        return sorted(pods, key=lambda pod: int(pod["metadata"]["labels"]["spark-exec-id"]))

    def wait_executors(self, number: int) -> list[Manifest]:
        """Wait until there are that many executors; returns them."""
        wait_until(lambda: len(self.executors()) == number, f"{number} executors of {self.name}")
        return self.executors()

    def set_phase(
        self, phase: Phase, *, exit_code: int | None = None, reason: str = "", pod: Manifest | None = None
    ) -> None:
        """Be the kubelet: write a pod's phase and, with an exit code, the end of its Spark container.

        The driver's unless another pod is given; waits for a driver that is not there yet.
        """
        pod = pod or self.wait_driver()
        container = pod["spec"]["containers"][0]["name"]
        status: dict[str, Any] = {"phase": phase}
        if exit_code is not None:
            end = {"exitCode": exit_code, "reason": reason or ("Completed" if exit_code == 0 else "Error")}
            status["containerStatuses"] = [container_status(container, {"terminated": end})]
        self.client.patch_status("v1", "Pod", pod["metadata"]["name"], self.namespace, status=status)

    def run_driver(self) -> Manifest:
        """Let the driver run; returns its pod when the operator has seen it."""
        self.set_phase("Running")
        self.wait("RUNNING")
        return self.wait_driver()

    def succeed(self) -> None:
        """Let the driver end well."""
        self.set_phase("Succeeded", exit_code=0)

    def fail(self, exit_code: int = 1, reason: str = "Error") -> None:
        """Let the driver end badly."""
        self.set_phase("Failed", exit_code=exit_code, reason=reason)

    def delete_pod(self, pod: Manifest | None = None) -> None:
        """Delete a pod at once, as a person or a collector does; the driver's unless another one is given."""
        name = f"{self.name}-driver" if pod is None else pod["metadata"]["name"]
        self.client.delete("v1", "Pod", name, self.namespace, grace_period_seconds=0, missing_ok=True)

    def release_driver(self) -> None:
        """Take the finalizers off the driver pod."""
        body = {"metadata": {"finalizers": None}}
        self.client.patch("v1", "Pod", f"{self.name}-driver", self.namespace, body=body)

    def events(self) -> list[Manifest]:
        """The Events about this application, the oldest first."""
        found = self.client.list("v1", "Event", self.namespace, fieldSelector=f"involvedObject.name={self.name}")
        return sorted(found, key=lambda event: int(event["metadata"]["resourceVersion"]))

    def reasons(self) -> set[str]:
        """The reasons of the Events so far."""
        return {event["reason"] for event in self.events()}


def container_status(name: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """One entry of a pod's containerStatuses."""
    return {"name": name, "state": dict(state), "ready": False, "restartCount": 0, "image": "spark", "imageID": ""}


def _release(client: Client, api_version: str, kind: str, manifest: Manifest) -> None:
    """Take the finalizers off an object that is being deleted, so that it goes."""
    metadata = manifest["metadata"]
    if metadata.get("finalizers"):
        with contextlib.suppress(ApiError):
            body = {"metadata": {"finalizers": None}}
            client.patch(api_version, kind, metadata["name"], metadata["namespace"], body=body)


def _state(manifest: Manifest) -> str:
    state: str = manifest.get("status", {}).get("applicationState", {}).get("state", "")
    return state
