"""What the recommender measures of itself, and whoever holds an item index of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:  # Stages without an item index measure themselves, too.
    from stream.recommender.items import Items

BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)


class Gauges(NamedTuple):
    """Of an item index: its items, and the lists shown that it has heard of."""

    items: Gauge
    lists: Gauge

    def watch(self, items: "Items") -> None:
        """Measure this one, whenever somebody asks."""
        measured: dict[str, Callable[[], float]] = {
            "known": lambda: len(items.index),
            "described": lambda: len(items.index.shelf),
            "sold_out": lambda: items.index.shelf.sold_out,
            "left_out": lambda: items.catalogue.refused,
        }
        for what, number in measured.items():
            self.items.labels(what).set_function(number)
        outcomes: dict[str, Callable[[], float]] = {
            "waiting": lambda: len(items.index.lists),
            "chosen": lambda: items.index.bandit.successes,
            "ignored": lambda: items.index.bandit.lists - items.index.bandit.successes,
            "given_up": lambda: items.index.lists.given_up,
        }
        for outcome, number in outcomes.items():
            self.lists.labels(outcome).set_function(number)


def gauges(registry: CollectorRegistry) -> Gauges:
    """The gauges of an item index, in this registry."""
    return Gauges(
        Gauge(
            "footfall_index_items", "items of the index, by what is known; and records of the catalogue left out",
            ["what"], registry=registry,
        ),
        Gauge(
            "footfall_index_lists", "lists of recommendations shown, by what came of them",
            ["outcome"], registry=registry,
        ),
    )  # fmt: skip


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
        self.untold = Counter(
            "footfall_recommender_untold", "lists answered that Kafka was not told of, and nothing is learned from",
            registry=self.registry,
        )  # fmt: skip
        self.index = gauges(self.registry)
