"""The web application of a process without the API: alive, ready, metrics, on the same port as everywhere."""

from importlib.metadata import version

from fastapi import FastAPI

from archer.api import problems, routes
from archer.metrics import Metrics
from archer.service import Service


def create_health_app(service: Service, metrics: Metrics) -> FastAPI:
    """Open to whoever reaches the port: it tells no job, and takes nothing."""
    app = FastAPI(title="Archer", version=version("moka"), openapi_url=None, docs_url=None, redoc_url=None)
    app.state.service = service
    app.state.metrics = metrics
    app.include_router(routes.health)
    problems.install(app)
    return app
