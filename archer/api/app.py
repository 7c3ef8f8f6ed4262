"""The web application: doors, routes, error documents and the page, around one service."""

import time
from importlib.metadata import version
from threading import Event

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archer.api import problems, routes, steering, tokens
from archer.api.door import Door
from archer.api.waiting import Lookout
from archer.auth.access import Access
from archer.metrics import Metrics
from archer.service import Service
from archer.web import pages, session

_ROUTERS = (routes.router, steering.router, tokens.router, routes.health, session.router, pages.router)


def create_app(
    service: Service, *, stopping: Event | None = None, access: Access | None = None, metrics: Metrics | None = None
) -> FastAPI:
    """`stopping`, once set, ends long polls at once. Without `access` nobody is asked who they are."""
    access = access or Access()
    app = FastAPI(
        title="Archer",
        version=version("moka"),
        description="Submits, follows and kills Spark jobs.",
        openapi_url="/api/openapi.json",
        # FastAPI's pages of documentation load scripts from the network
        docs_url=None,
        redoc_url=None,
        # as their modules made them: include_router() would make each anew for every application
        routes=[route for router in _ROUTERS for route in router.routes],
    )
    app.state.service = service
    app.state.access = access
    app.state.metrics = metrics or Metrics(service.counters, queue_ages=service.queue_ages)
    app.state.lookout = Lookout(service.versions, stopping or Event())
    problems.install(app)
    app.add_middleware(_Measured, metrics=app.state.metrics)
    app.add_middleware(_HeadAsGet)
    app.add_middleware(Door, access=access)
    return app


class _Measured:
    """ASGI middleware: how long each route takes."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        begun = time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            # the template, never the address itself: it holds job ids
            route = getattr(scope.get("route"), "path", "unmatched")
            took = time.perf_counter() - begun
            self._metrics.answered(scope["method"], route, status, took)


class _HeadAsGet:
    """ASGI middleware: HTTP wants HEAD wherever there is GET, with the same answer but for its body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET"}, receive, without_body)
