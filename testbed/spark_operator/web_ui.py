"""The Service of the driver's web page, and the Ingress before it when a URL format is given."""

import re
import urllib.parse
from dataclasses import dataclass
from typing import Final

from testbed.spark_operator.application import (
    LABEL_APP,
    LABEL_ROLE,
    LABEL_SUBMISSION,
    name_of,
    owner_reference,
    short_name,
)
from testbed.spark_operator.informer import Cache
from testbed.spark_operator.kube import INGRESSES, SERVICES, ApiError, Client, Object, Resource
from testbed.spark_operator.options import Options

_PORT: Final = 4040


@dataclass(frozen=True, kw_only=True)
class WebUi:
    """Makes and deletes the two; reads go through the caches, so a forbidden list of Ingresses hangs here."""

    client: Client
    services: Cache
    ingresses: Cache
    options: Options

    def create(self, app: Object) -> None:
        """Make what the options ask for, and write its names into the application's `driverInfo`."""
        if not self.options.enable_ui_service:
            return
        service = self._ensure(SERVICES, self.services, _service(app))
        port = service["spec"]["ports"][0]["port"]
        info = app["status"]["driverInfo"]
        info["webUIServiceName"] = service["metadata"]["name"]
        info["webUIPort"] = port
        info["webUIAddress"] = f"{service['spec'].get('clusterIP', '')}:{port}"
        if self.options.ingress_url_format:
            url = ingress_url(self.options.ingress_url_format, app)
            ingress = self._ensure(INGRESSES, self.ingresses, self._ingress(app, url, info["webUIServiceName"], port))
            info["webUIIngressName"] = ingress["metadata"]["name"]
            info["webUIIngressAddress"] = url.geturl()

    def delete(self, app: Object) -> None:
        """Delete what the application's `driverInfo` names."""
        info, (namespace, _name) = app.get("status", {}).get("driverInfo", {}), name_of(app)
        for resource, field in ((SERVICES, "webUIServiceName"), (INGRESSES, "webUIIngressName")):
            if name := info.get(field):
                delete_if_there(self.client, resource.path(namespace, name), {"gracePeriodSeconds": 0})

    def is_gone(self, app: Object) -> bool:
        """Return whether the caches hold neither of the two."""
        info, (namespace, _name) = app.get("status", {}).get("driverInfo", {}), name_of(app)
        service, ingress = info.get("webUIServiceName"), info.get("webUIIngressName")
        if service and self.services.get(namespace, service) is not None:
            return False
        return not ingress or self.ingresses.get(namespace, ingress) is None

    def _ensure(self, resource: Resource, cache: Cache, wanted: Object) -> Object:
        namespace, name = name_of(wanted)
        existing = cache.get(namespace, name)
        if existing is None:
            try:
                return self.client.create(resource.path(namespace), wanted)
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise
                return self.client.get(resource.path(namespace, name))
        # the fields that may change; the others (a Service's address) stay the server's
        metadata = {**existing["metadata"], **{key: wanted["metadata"][key] for key in ("labels", "ownerReferences")}}
        changed = {**existing, "metadata": metadata, "spec": {**existing["spec"], **wanted["spec"]}}
        return self.client.replace(resource.path(namespace, name), changed)

    def _ingress(self, app: Object, url: urllib.parse.SplitResult, service: str, port: int) -> Object:
        below = url.path not in ("", "/")
        path = {
            "backend": {"service": {"name": service, "port": {"number": port}}},
            "pathType": "ImplementationSpecific",
            **({"path": url.path + ("(/|$)(.*)" if below else "")} if url.path else {}),
        }
        made = _metadata(app, short_name(app["metadata"]["name"], "ui-ingress"))
        if below:
            made["annotations"] = {"nginx.ingress.kubernetes.io/rewrite-target": "/$2"}
        class_name = self.options.ingress_class_name
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": made,
            "spec": {
                "rules": [{"host": url.netloc, "http": {"paths": [path]}}],
                **({"ingressClassName": class_name} if class_name else {}),
            },
        }


def ingress_url(form: str, app: Object) -> urllib.parse.SplitResult:
    """Return the URL for `app`: {{$appName}}, {{$appNamespace}} and {{$appId}} replaced, http when it has no scheme."""
    namespace, name = name_of(app)
    known = {
        "appName": name,
        "appNamespace": namespace,
        "appId": app.get("status", {}).get("sparkApplicationId", ""),
    }
    for key, value in known.items():
        form = value.join(re.split(r"{{\s*[$]" + key + r"\s*}}", form))
    return urllib.parse.urlsplit(form if "://" in form else f"http://{form}")


def delete_if_there(client: Client, path: str, options: Object | None = None) -> None:
    try:
        client.delete(path, options)
    except ApiError as error:
        if error.reason != "NotFound":
            raise


def _service(app: Object) -> Object:
    name = app["metadata"]["name"]
    port = {"name": "spark-driver-ui-port", "port": _PORT, "targetPort": _PORT}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(app, short_name(name, "ui-svc")),
        "spec": {"ports": [port], "selector": {LABEL_APP: name, LABEL_ROLE: "driver"}, "type": "ClusterIP"},
    }


def _metadata(app: Object, name: str) -> Object:
    namespace, app_name = name_of(app)
    return {
        "name": name,
        "namespace": namespace,
        "labels": {LABEL_APP: app_name, LABEL_SUBMISSION: app["status"]["submissionID"]},
        "ownerReferences": [owner_reference(app)],
    }
