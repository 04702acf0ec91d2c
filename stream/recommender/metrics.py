"""What the recommender measures of itself."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)


class Metrics:
    """Counters and histograms in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "footfall_recommender_requests", "HTTP requests answered", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "footfall_recommender_request_seconds", "from a request's head to its answer",
            ["route"], buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.items = Counter(
            "footfall_recommender_items", "items recommended, by the source that found them",
            ["source"], registry=self.registry,
        )  # fmt: skip
