"""What the collector counts, in a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """Requests by route and status, events by topic, refusals by reason, and how long an answer took."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "footfall_collector_requests", "HTTP requests answered", ["route", "status"], registry=self.registry
        )
        self.events = Counter("footfall_collector_events", "events in Kafka", ["topic"], registry=self.registry)
        self.rejected = Counter(
            "footfall_collector_rejected", "requests refused, by reason", ["reason"], registry=self.registry
        )
        self.seconds = Histogram(
            "footfall_collector_request_seconds",
            "from a request's head to its answer, Kafka's acknowledgement included",
            ["route"],
            buckets=BUCKETS,
            registry=self.registry,
        )

    def text(self) -> bytes:
        """The registry in Prometheus' text format."""
        return generate_latest(self.registry)
