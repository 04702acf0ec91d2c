"""What a policy is, and what all of them ask of a score."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from msgspec.structs import replace

from online.words import say
from online.words_zh import say_zh
from schemas.features import DAY_MS
from schemas.outputs import Contribution, Score

STAKE_DAYS: Final = 91.0
WIN_BACK: Final = "win_back"
LATE_DAYS: Final = 29.0
# A week without an order is mostly an ordinary one, also of who buys every week.
MISSED_DAYS: Final = 14.0
# The online model's version tells how many examples of all targets it has learned.
EXAMPLES: Final = 1_000
GONE: Final = frozenset(
    {"session_end", "cart_abandoned", "silence_7", "silence_14", "silence_30", "silence_60", "overdue"}
)


@dataclass(frozen=True, slots=True)
class Marks:
    """When a kind fires (`high`) and re-arms (below `low`), how long it is quiet (event time, ms), how often a day."""

    high: float
    low: float
    cooldown_ms: int
    daily: int = 1
    # The high mark of a win-back after a month's silence (None: the same): an early warning is worth more.
    late: float | None = None

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"the low mark {self.low} is above the high mark {self.high}")
        if self.cooldown_ms <= 0:
            raise ValueError("a cool-down is longer than nothing")


# Chosen on days 90 to 140 of Complete Journey by `footfall evaluate --task alerts`, for a horizon of 30 days. Where
# most customers buy less often, it is to be longer (FOOTFALL_CHURN_DAYS), or these higher (FOOTFALL_ALERT_MARKS).
LEAVING: Final = Marks(high=0.3, low=0.15, cooldown_ms=14 * DAY_MS, late=0.6)


@dataclass(frozen=True, slots=True)
class Vip:
    """Who is a VIP: at least this many orders ever, and this much spent ever (in the shop's currency)."""

    orders: float = 6.0
    spend: float = 500.0

    def __call__(self, score: Score) -> bool:
        """Whether the score's customer is one."""
        return value(score, "orders_total") >= self.orders and value(score, "spend_total") >= self.spend


class Kind(ABC):
    """One kind of alert. In one `group` what is more urgent keeps the rest quiet for their cool-downs."""

    name: ClassVar[str]
    group: ClassVar[str]
    target: ClassVar[str]
    marks: ClassVar[Marks]
    action: ClassVar[str]
    channel: ClassVar[str]
    # How long after its moment the alert is worth acting on.
    lasts_ms: ClassVar[int] = 7 * DAY_MS
    # Whether it is for now, rather than for her usual hour.
    at_once: ClassVar[bool] = False
    # What must have happened for the kind to speak (None: anything); its strength is followed all the time.
    triggers: ClassVar[frozenset[str] | None] = None
    # What arms the kind again whatever its strength: after an order, silence is another silence.
    rearms: ClassVar[str] = ""
    # Facts that made the rule fire; they are said beside the model's own reasons.
    facts: ClassVar[tuple[str, ...]] = ()
    # An event (a cart left, a review) is news each time; a level (a probability) only when it comes back up.
    event: ClassVar[bool] = False
    # Only for VIPs (True), only for others (False), for all (None).
    vip: ClassVar[bool | None] = None

    @abstractmethod
    def strength(self, score: Score) -> float | None:
        """What is held against the marks; None where the kind has nothing to say about this score."""

    @abstractmethod
    def text(self, score: Score, money: Callable[[float], str]) -> str:
        """One sentence for a marketer."""

    @abstractmethod
    def text_zh(self, score: Score, money: Callable[[float], str]) -> str:
        """The same in Chinese."""

    def mark(self, score: Score, marks: Marks) -> float:
        """The high mark that holds for this score."""
        long = self.group == WIN_BACK and value(score, "days_since_order") >= LATE_DAYS
        return marks.late if long and marks.late is not None else marks.high

    def due(self, score: Score) -> bool:
        """Whether this is a moment at which the kind speaks."""
        return self.triggers is None or score.trigger in self.triggers

    def probability(self, score: Score) -> float:
        """How sure: that what the alert warns of, or hopes for, will happen."""
        return score.churn if self.target == "churn" else score.intent

    def at_stake(self, score: Score) -> float:
        """Money at stake, in the currency's main unit: what she usually spends in 13 weeks, or is expected to, if more.

        What is expected of somebody who is leaving is little because she is leaving: it is not what is lost.
        """
        return max(order_value(score) * expected_orders(score), score.value or 0.0)

    def expected(self, score: Score) -> float:
        """The money to be expected lost, or won: what the severity goes by."""
        return self.probability(score) * self.at_stake(score)

    def reasons(self, score: Score, k: int) -> list[Contribution]:
        """The rule's facts (which carry no weight), then what pushed the probability up most: `k` at most.

        Where neither has anything to say, the probability itself is the reason.
        """
        facts = [
            Contribution(feature=name, value=score.features[name], weight=0.0, words=say(name, score.features[name]))
            for name in self.facts
            if score.features.get(name)
        ]
        model = [c for c in score.reasons.get(self.target, []) if c.weight > 0 and c.feature not in self.facts]
        found = (facts + sorted(model, key=lambda c: -c.weight))[:k]
        if found:
            return [
                replace(reason, words_zh=reason.words_zh or say_zh(reason.feature, reason.value)) for reason in found
            ]
        p = self.probability(score)
        words, words_zh = _LIKELY[self.target]
        return [
            Contribution(
                feature=self.target, value=p, weight=0.0, words=f"{words}: {p:.0%}", words_zh=f"{words_zh}：{p:.0%}"
            )
        ]


_LIKELY: Final = {
    "churn": ("probability not to buy for long", "长时间不再购买的概率"),
    "intent": ("probability to buy soon", "近期购买的概率"),
}


def value(score: Score, name: str, default: float = 0.0) -> float:
    """A feature's value, `default` where it has none."""
    found = score.features.get(name)
    return default if found is None else found


def taught(score: Score) -> bool:
    """Whether what a score says was learned: BERT's, or an online model's that has seen `EXAMPLES` examples.

    One that has learned nothing of the shop says 0.5 of its average customer, and a mark may lie below that.
    """
    learned = score.models.get("online", "").removeprefix("r")
    return score.source != "online" or (learned.isdigit() and int(learned) >= EXAMPLES)


def missed(score: Score) -> bool:
    """Whether she has ordered nothing for so long that it may mean something: `MISSED_DAYS`."""
    return value(score, "days_since_order") >= MISSED_DAYS


def order_value(score: Score) -> float:
    """Her average order, in the currency's main unit."""
    return max(0.0, value(score, "order_value_mean"))


def expected_orders(score: Score) -> float:
    """Orders that she would place in 13 weeks at her usual gap: from 1 to 26."""
    gap = value(score, "gap_mean_days")
    usual = STAKE_DAYS / gap if gap > 0 else value(score, "orders_90d")
    return min(26.0, max(1.0, usual))


def since_order(score: Score) -> str:
    """How long ago she ordered, to go after "customer who"."""
    days = score.features.get("days_since_order")
    if days is None:
        return "has not ordered yet"
    return "ordered within the last day" if days < 1 else f"last ordered {days:.0f} day{'s' * (round(days) != 1)} ago"


def since_order_zh(score: Score) -> str:
    """The same in Chinese."""
    days = score.features.get("days_since_order")
    if days is None:
        return "还没有下过单"
    return "在一天之内下过单" if days < 1 else f"上次下单在{days:.0f}天前"


def days(n: float) -> int:
    """Days in milliseconds."""
    return round(n * DAY_MS)


def by_name(kinds: tuple[Kind, ...]) -> Mapping[str, Kind]:
    """The kinds by name."""
    return {kind.name: kind for kind in kinds}
