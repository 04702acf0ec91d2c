"""A year of Complete Journey lived through again: what the model said as the year went, and who ordered when."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from deploy.evaluate.asked import Asked
from deploy.evaluate.replayed import Replayed
from deploy.evaluate.warnings import Warned
from online.alerts import Policy, decide
from online.policies.base import days
from online.said import Said
from schemas.features import DAY_MS
from schemas.hashing import hash64
from schemas.outputs import Score

if TYPE_CHECKING:
    from schemas.event import Event

HOUSEHOLDS: Final = 2_469
# Days; as the settings have them by default.
HORIZONS: Final = {"churn": 30, "intent": 7}
# What the policies of the win-back kinds read.
_READ: Final = (
    "orders_total", "spend_total", "order_value_mean", "gap_mean_days", "overdue", "days_since_order", "orders_90d",
    "hour_share",
)  # fmt: skip


class Lived(NamedTuple):
    """What came of living the log through again: scores in order, each customer's orders, and the log's ends."""

    scores: list[Score]
    orders: dict[str, list[int]]
    first: int
    last: int

    def day(self, number: float) -> int:
        """The time (epoch ms) so many days after the log's first event."""
        return self.first + round(number * DAY_MS)

    def until(self, number: float) -> "Lived":
        """The same without the scores of that day and later."""
        end = self.day(number)
        return self._replace(scores=[score for score in self.scores if score.at < end])

    def warnings(self, policy: Policy) -> list[Warned]:
        """Every win-back alert that the decisions give rise to, the held out included: nothing is sent here."""
        said: dict[str, Said] = {}
        found = []
        for score in self.scores:
            alerts, said[score.customer] = decide(score, "USD", said.get(score.customer, Said()), policy)
            found += [Warned(alert.customer, alert.at, alert.kind) for alert in alerts]
        return found


def live(asked: Asked) -> Lived:
    """The scores of the whole log, by a model that learns churn and intent as it goes. `limit` bounds households."""
    from stream.features.engine import Config

    replayed = Replayed(Config(), {target: days(horizon) for target, horizon in HORIZONS.items()})
    scores = [_lean(score) for score, _ in replayed.scores(_events(asked))]
    orders = {customer: mine for customer, mine in replayed.orders.items() if mine}
    return Lived(scores, orders, min(mine[0] for mine in orders.values()), max(mine[-1] for mine in orders.values()))


def _events(asked: Asked) -> "Iterator[Event]":
    """The purchases of the households that take part, with a progress bar."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from schemas.decode import decode
    from stream.sources import completejourney

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=asked.quiet, transient=True) as progress:
        task = progress.add_task("living the year through", total=completejourney.count())
        taken: dict[bytes | None, bool] = {}
        for told in completejourney.events():
            progress.advance(task)
            if told.key not in taken:
                taken[told.key] = _takes_part(told.key, asked.limit)
            if taken[told.key]:
                yield decode(told.value, completejourney.CURRENCY)


def _takes_part(key: bytes | None, limit: int | None) -> bool:
    return limit is None or hash64((key or b"").decode()) / 2**63 < limit / HOUSEHOLDS


def _lean(score: Score) -> Score:
    """The score with what the win-back kinds read: a year of whole ones would not fit into memory."""
    return replace(score, online=None, features={name: score.features.get(name) for name in _READ})
