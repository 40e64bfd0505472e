"""Settings to activities, grouped by task queue. The only file that knows every adapter."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from temporalio.client import Client

from activities.artifacts import Retention
from activities.audit import Recorder
from activities.build import Steps
from activities.checks_http import Checks
from activities.clients.addresses import Addresses
from activities.clients.artifact_store import ArtifactStore
from activities.clients.caches import Caches
from activities.clients.capture import Capture
from activities.clients.checkout import Checkouts
from activities.clients.console_channel import ConsoleChannel
from activities.clients.git import Mirrors
from activities.clients.local_target import LocalTarget
from activities.clients.metrics import PrometheusProvider
from activities.clients.prometheus import Prometheus
from activities.clients.proxy_metrics import ProxyMetrics
from activities.clients.secrets import SecretResolver
from activities.clients.traefik import TraefikRouter
from activities.clients.traefik_api import TraefikApi
from activities.clients.workspaces import Workspaces
from activities.collect import ArtifactPacker, Reports
from activities.deploy import Deploy
from activities.events import OutboxBus, Publisher
from activities.measure import Measure
from activities.notify import Notifier
from activities.quality import Gates
from activities.records import Records
from activities.requests import Requests
from activities.source import Source
from activities.steps.evidence import Evidence
from activities.traffic import Traffic
from activities.workspace import Sealing, StageWorkspaces
from pipelines.analysis.verdict import assess
from pipelines.layout import slug
from pipelines.ports import QUEUES, Port
from pipelines.settings import Settings

Activity = Callable[..., Any]
EVERY_SERVICE = ("stage.open",)
"""Activities that every service's queue offers, since each may hold a workspace of its own."""


@dataclass
class Wired:
    """Activities by task queue, those of this host's own queue, what to close at the end, and what is to be called every few
    seconds by whoever serves 'deploy'."""

    by_queue: dict[str, list[Activity]]
    on_host: list[Activity]
    host_id: str
    close: list[Callable[[], None]] = field(default_factory=list)
    keep: list[Callable[[], object]] = field(default_factory=list)


def host_id(settings: Settings) -> str:
    """Stable across restarts of the worker, different for every state directory: a workspace is where its files are."""
    if settings.worker.host_id:
        return slug(settings.worker.host_id)
    place = hashlib.sha256(str(settings.state_dir.resolve()).encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9-]', '-', socket.gethostname())[:40]}-{place}"


def wire(settings: Settings, client: Client, records: Records) -> Wired:
    """Build every adapter once and collect the activities that they implement."""
    store = ArtifactStore(settings.layout.artifacts)
    steps = _steps(settings, records)
    target, router = _local(settings, store)
    objects = [
        Source(Mirrors(settings.layout.mirrors)),
        _workspaces(settings, store, records),
        steps,
        Gates(records.findings, records.tests, records.coverage),
        *_delivery(settings, target, router, records),
        Requests(client, records.deployments),
        Retention(store, records, settings.layout),
        Recorder(records, settings.layout.audit_witness),
        Notifier(records, {"console": ConsoleChannel(Console(stderr=True))}),
        Publisher(OutboxBus(records.outbox)),
    ]
    found = [activity for each in objects for activity in _activities(each)]
    by_queue = {queue: [each for each in found if _serves(_port(each), queue)] for queue in QUEUES}
    on_host = [each for each in found if _port(each).queue is None]
    return Wired(by_queue, on_host, host_id(settings), [steps.close], [target.revive])


def _serves(port: Port[Any, Any], queue: str) -> bool:
    return port.queue == queue or port.name in EVERY_SERVICE


def _port(activity: Activity) -> Port[Any, Any]:
    port: Port[Any, Any] = vars(getattr(activity, "__func__", activity))["__switchyard_port__"]
    return port


def _activities(holder: object) -> list[Activity]:
    """The bound methods that implement a port."""
    return [getattr(holder, name) for name, value in vars(type(holder)).items() if "__switchyard_port__" in _marks(value)]


def _marks(value: object) -> dict[str, Any]:
    return getattr(value, "__dict__", {})


def _steps(settings: Settings, records: Records) -> Steps:
    evidence = Evidence(records.findings, records.tests, records.coverage)
    return Steps(settings.layout, SecretResolver(), evidence, offline=settings.offline)


def _workspaces(settings: Settings, store: ArtifactStore, records: Records) -> StageWorkspaces:
    layout = settings.layout
    caches = Caches(store, records.artifacts)
    checkouts = Checkouts(Mirrors(layout.mirrors))
    workspaces = Workspaces(layout, host_id(settings), checkouts, store, caches)
    evidence = Evidence(records.findings, records.tests, records.coverage)
    sealing = Sealing(Reports(evidence), ArtifactPacker(store, records.artifacts, host_id(settings)), caches, Capture(store))
    return StageWorkspaces(layout, workspaces, store, records.stages, sealing)


def _local(settings: Settings, store: ArtifactStore) -> tuple[LocalTarget, TraefikRouter]:
    layout, ports = settings.layout, settings.ports
    router = TraefikRouter(layout.routes, _proxy(settings), Addresses(settings.proxy_host, ports.proxy, ports.preview))
    return LocalTarget(layout.releases, layout.logs / "releases", store, router), router


def _proxy(settings: Settings) -> TraefikApi:
    return TraefikApi(f"http://{settings.proxy_host}:{settings.ports.proxy_admin}")


def _delivery(settings: Settings, target: LocalTarget, router: TraefikRouter, records: Records) -> list[object]:
    """The embedded target behind the local router."""
    routers, targets = {"local": router}, {"local": target}
    providers = {"prometheus": PrometheusProvider(Prometheus(settings.prometheus_url), settings.prometheus_step)}
    measure = Measure(ProxyMetrics(_proxy(settings), records.samples), providers, routers, assess)
    return [
        Deploy(targets, routers, on_look=measure.on_look),
        Traffic(targets, routers, measure.before_route),
        Checks(routers),
        measure,
    ]
