"""What is counted, in Prometheus' format.

Counters of this process, and gauges that are read from the database when somebody looks. No label holds text
of a request: routes are templates.
"""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from app.services.health import Health

disable_created_metrics()  # type: ignore[no-untyped-call]  # twice the lines for nothing

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STATES = ("queued", "running", "done", "failed", "canceled")
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "whence_http_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "whence_http_request_seconds",
            "Time to answer.",
            ["route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.refused = Counter(
            "whence_http_refused", "Requests refused, by status.", ["status"], registry=self.registry
        )
        self.gauges: dict[str, Gauge] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)
        if status >= 400:
            self.refused.labels(str(status)).inc()

    def read(self, health: Health) -> None:
        """Take over what was just found out about the installation."""
        self._set("ready", "Whether scans are accepted.", health.ready)
        self._set("database_up", "Whether the database answers.", health.database)
        self._set("queue_up", "Whether the queue answers.", health.queue)
        self._set(
            "snapshot_age_seconds", "Age of the published snapshot; -1 without one.", _or(health.snapshot_age)
        )
        self._set("queue_oldest_seconds", "How long the oldest scan has been waiting.", health.oldest_waiting)
        self._set("queue_bytes", "Submitted bytes that wait.", health.waiting_bytes)
        self._set("disk_free_ratio", "Free share of the data folder's disk.", health.disk_free)
        for what, counts in (("scans", health.scans), ("jobs", health.jobs)):
            for state in STATES:
                self._set(what, f"{what.capitalize()} by state.", counts.get(state, 0), state=state)
        ages: dict[str, float] = {}
        facts: dict[tuple[str, str], float] = {}
        for process in health.processes:
            ages[process.kind] = min(process.age, ages.get(process.kind, process.age))
            for name, value in process.facts.items():
                if isinstance(value, int | float):
                    facts[process.kind, name] = facts.get((process.kind, name), 0) + value
        for kind, age in ages.items():
            self._set("worker_age_seconds", "Since the last sign of the youngest worker.", age, kind=kind)
        for (kind, name), value in facts.items():
            self._set("worker_count", "What workers counted since they started.", value, kind=kind, what=name)

    def shown(self) -> bytes:
        """All of them as text."""
        return generate_latest(self.registry)

    def _set(self, name: str, meaning: str, value: float, **labels: str) -> None:
        if name not in self.gauges:
            self.gauges[name] = Gauge(f"whence_{name}", meaning, list(labels), registry=self.registry)
        gauge = self.gauges[name]
        (gauge.labels(**labels) if labels else gauge).set(value)


def _or(value: float | None) -> float:
    return -1.0 if value is None else value
