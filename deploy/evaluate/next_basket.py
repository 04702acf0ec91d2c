"""The next order: the live item index on Complete Journey, beside what each household bought most often.

Orders go by in order of time. Of each in the last part of the year the index is asked first, knowing the customer and
the time and nothing that came later, and learns it afterwards, item by item as live.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import orjson
from rich.console import Console
from rich.progress import track

from deploy.evaluate.asked import Asked
from inference.measures.bootstrap import draws, interval
from online.index import CHOICES, ItemIndex
from schemas.behaviours import Behaviour
from schemas.errors import OperatorError
from schemas.features import DAY_MS
from schemas.outputs import Interaction, Ordered
from stream.sources import completejourney

# As everywhere in this data set, what lies before this day is for learning alone.
TEST_FROM: Final = 275
# Of who has ordered less often it is not known what she buys often.
KNOWN: Final = 3
CUTS: Final = (10, 20)
DRAWS: Final = 1_000


class Habits:
    """What customers bought so far, counted plainly: the ways beside."""

    def __init__(self) -> None:
        self._often: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._last: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._popular: Counter[str] = Counter()
        self._today = -1
        self._most: list[str] = []

    def learn_one(self, order: Interaction) -> None:
        """An order's items; what everybody buys is reckoned once a day."""
        if order.at // DAY_MS != self._today:
            self._today = order.at // DAY_MS
            self._most = [item for item, _ in self._popular.most_common(2 * max(CUTS))]
        for line in order.items:
            self._often[order.customer][line.item] += 1
            self._last[order.customer][line.item] = order.at
            self._popular[line.item] += 1

    def frequent(self, customer: str, k: int) -> list[str]:
        """What she bought most often, of equals the last, and then what everybody buys."""
        often, last = self._often[customer], self._last[customer]
        return self._filled(sorted(often, key=lambda item: (-often[item], -last[item], item))[:k], k)

    def newest(self, customer: str, k: int) -> list[str]:
        """What she bought last, of equals the most frequent, and then what everybody buys."""
        often, last = self._often[customer], self._last[customer]
        return self._filled(sorted(last, key=lambda item: (-last[item], -often[item], item))[:k], k)

    def popular(self, _customer: str, k: int) -> list[str]:
        """What everybody buys."""
        return self._filled([], k)

    def _filled(self, items: list[str], k: int) -> list[str]:
        return [*items, *(item for item in self._most if item not in items)][:k]


def measure(asked: Asked) -> dict[str, Any]:
    """By way: recall, precision and hit rate of its first 10 and 20 in per cent; and Footfall's paired difference."""
    if asked.source != "completejourney":
        raise OperatorError(f"next-basket is measured on completejourney, not on {asked.source}")
    return measured(list(orders()), asked)


def orders() -> Iterator[Interaction]:
    """The baskets as the profile stage tells of them, in order of time."""
    for event in completejourney.events():
        told = orjson.loads(event.value)
        yield Interaction(
            customer=told["userId"],
            session=event.at,
            item="",
            behaviour=Behaviour.ORDER,
            at=event.at,
            items=[
                Ordered(line["product_id"], line.get("category", ""))
                for line in {line["product_id"]: line for line in told["properties"]["products"]}.values()
            ],
        )


def measured(baskets: Sequence[Interaction], asked: Asked, choices: int = CHOICES) -> dict[str, Any]:
    """The figures of these orders, which are in order of time; the rankers learn from one choice in so many."""
    index, habits = ItemIndex(choices=choices), Habits()
    ways: dict[str, Callable[[str, int], list[str]]] = {
        "frequent": habits.frequent, "newest": habits.newest, "popular": habits.popular,
    }  # fmt: skip
    found: dict[str, list[list[float]]] = {name: [] for name in ("footfall", *ways)}
    customers: list[str] = []
    cpus: list[float] = []
    known: Counter[str] = Counter()
    begin = baskets[0].at + TEST_FROM * DAY_MS
    every = _every(baskets, begin, asked.limit)
    tested = 0
    for basket in track(baskets, "orders", disable=asked.quiet):
        if basket.at >= begin and known[basket.customer] >= KNOWN:
            tested += 1
            if tested % every == 0:
                wanted = {line.item for line in basket.items}
                began = time.thread_time()
                ranked = [item for item, _ in index.basket(basket.customer, basket.at, max(CUTS))]
                cpus.append(time.thread_time() - began)
                customers.append(basket.customer)
                found["footfall"].append(_figures(ranked, wanted))
                for name, way in ways.items():
                    found[name].append(_figures(way(basket.customer, max(CUTS)), wanted))
        known[basket.customer] += 1
        for interaction in basket.each():
            index.learn_one(interaction)
        habits.learn_one(basket)
    if not customers:
        raise OperatorError("there is no order late enough to be tested")
    gains = np.array(found["footfall"])[:, 0] - np.array(found["frequent"])[:, 0]
    drawn = [float(np.average(gains, weights=weights)) for weights in draws(customers, DRAWS, asked.seed)]
    names = [f"{what}{cut}" for cut in CUTS for what in ("recall", "precision", "hit")]
    return {
        "cases": len(customers),
        "customers": len(set(customers)),
        "orders_learned": len(baskets),
        "choices_learned": index.baskets.ranker.learned,
        "p50_cpu_ms": round(float(np.percentile(cpus, 50)) * 1e3, 2),
        "p99_cpu_ms": round(float(np.percentile(cpus, 99)) * 1e3, 2),
        **{
            way: dict(zip(names, (np.array(rows).mean(0) * 100).round(2).tolist(), strict=True))
            for way, rows in found.items()
        },
        "recall10_above_frequent": {
            "difference": round(100 * float(gains.mean()), 2),
            "interval": [round(100 * bound, 2) for bound in interval(drawn)],
        },
    }


def show(console: Console, found: dict[str, Any]) -> None:
    """In a table, way by way."""
    from rich.table import Table

    names = {"footfall": "Footfall", "frequent": "her most frequent", "newest": "her newest", "popular": "everybody's"}
    columns = list(found["footfall"])
    table = Table("%", *columns, title=f"{found['cases']} orders of {found['customers']} households")
    for way, words in names.items():
        table.add_row(words, *(f"{found[way][column]:.2f}" for column in columns))
    console.print(table)
    above = found["recall10_above_frequent"]
    low, high = above["interval"]
    console.print(
        f"recall of the first 10 above her most frequent: {above['difference']} points ({low} to {high}, 95 %); "
        f"an answer takes {found['p99_cpu_ms']} ms of processor time at the 99th percentile"
    )


def _every(baskets: Sequence[Interaction], begin: int, limit: int | None) -> int:
    late = sum(basket.at >= begin for basket in baskets)
    return 1 if limit is None else max(1, late // limit)


def _figures(ranked: list[str], wanted: set[str]) -> list[float]:
    """Recall, precision and whether there is a hit, cut by cut."""
    found: list[float] = []
    for cut in CUTS:
        hits = len(wanted.intersection(ranked[:cut]))
        found += [hits / len(wanted), hits / cut, float(hits > 0)]
    return found
