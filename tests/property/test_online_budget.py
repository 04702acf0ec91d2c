"""Laws of the budget: never more than it allows, whatever crashes; all alike but for what they are worth."""

import random
from collections import Counter
from dataclasses import replace
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from online.alerts import HOLDOUT, KINDS, Policy, arm, decide
from online.budget import SPENT, WORTH, Budget, part
from online.marks import marks_of
from online.said import Said, decode_said, encode_said
from schemas.features import DAY_MS, HOUR_MS
from schemas.hashing import hash64
from schemas.outputs import Alert, Score

BERLIN = ZoneInfo("Europe/Berlin")
KIND = "high_intent"
ALWAYS = marks_of({KIND: {"high": 0.5, "low": 0.4, "cooldown_days": 0.1, "daily": 99}})
# A holdout large enough to be met by a few customers.
POLICY = Policy(holdout_share=0.3, daily_cap=99, weekly_cap=99, marks=ALWAYS)


def a_score(customer: str, at: int, worth: float = 10.0, intent: float = 0.9) -> Score:
    return Score(
        id=f"{customer}-{at}", customer=customer, at=at, trigger="cart", arrived=at, churn=0.1, intent=intent,
        source="ensemble", models={}, reasons={}, story="", features={"cart_value": worth, "days_since_order": 1.0},
    )  # fmt: skip


class Partition:
    """Decides as a partition of the score stage does, and begins again from what its store holds."""

    def __init__(self, limit: int, number: int, partitions: int, store: dict[str, bytes]) -> None:
        self.store = store
        self._budget = Budget({KIND: limit}, number, partitions, BERLIN)
        self._said: dict[str, Said] = {}
        for customer, raw in store.items():
            self._said[customer] = decode_said(raw)
            if arm(customer, POLICY.holdout_share) != HOLDOUT:
                self._budget.change(Said(), self._said[customer])

    def score(self, score: Score) -> list[Alert]:
        said = self._said.get(score.customer, Said())
        alerts, self._said[score.customer] = decide(score, "EUR", said, POLICY, None, self._budget)
        return alerts

    def barrier(self) -> None:
        for customer, said in self._said.items():
            self.store[customer] = encode_said(said)


@given(st.integers(0, 50), st.integers(1, 9), st.integers(0, 10_000))
def test_the_parts_are_the_whole_and_nobody_is_left_out_for_long(limit: int, partitions: int, day: int) -> None:
    assert sum(part(limit, number, partitions, day) for number in range(partitions)) == limit
    for number in range(partitions):
        assert sum(part(limit, number, partitions, day + n) for n in range(partitions)) == limit


came = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 5 * 24 * 4), st.floats(0, 100), st.booleans()), max_size=120
)


@given(came, st.integers(0, 6), st.integers(1, 3))
def test_no_day_of_the_shop_has_more_than_its_budget_whatever_crashes(
    scores: list[tuple[int, int, float, bool]], limit: int, partitions: int
) -> None:
    stores: list[dict[str, bytes]] = [{} for _ in range(partitions)]
    workers = [Partition(limit, number, partitions, store) for number, store in enumerate(stores)]
    sent: Counter[int] = Counter()
    for customer, quarter, worth, crash in sorted(scores, key=lambda one: one[1]):
        number, at = customer % partitions, quarter * HOUR_MS // 4
        # Across every other midnight, and one that is none in UTC.
        for alert in workers[number].score(a_score(f"customer-{customer}", at, worth)):
            if alert.arm != HOLDOUT:
                sent[(at + HOUR_MS) // DAY_MS] += 1
        workers[number].barrier()
        if crash:
            workers[number] = Partition(limit, number, partitions, stores[number])
    assert all(count <= limit for count in sent.values())


PEOPLE = sorted((f"customer-{n}" for n in range(12)), key=lambda one: hash64(f"holdout|{one}"))
PLACES = [hash64(f"holdout|{one}") / 2**63 for one in PEOPLE]


def first_decision(of: str, scores: list[tuple[int, int, float, bool]], limit: int, share: float) -> int | None:
    """When the first alert to a customer was decided on, of either arm."""
    budget, policy = Budget({KIND: limit}), replace(POLICY, holdout_share=share)
    said: dict[str, Said] = {}
    for customer, quarter, worth, _ in sorted(scores, key=lambda one: one[1]):
        score = a_score(PEOPLE[customer], quarter * HOUR_MS // 4, worth)
        before = said.get(score.customer, Said())
        alerts, said[score.customer] = decide(score, "EUR", before, policy, None, budget)
        if alerts and score.customer == of:
            return score.at
    return None


@given(came, st.integers(0, 6), st.integers(0, 11))
def test_whether_there_is_room_for_her_does_not_depend_on_her_group(
    scores: list[tuple[int, int, float, bool]], limit: int, who: int
) -> None:
    # Shares between which nobody but her changes groups.
    treated = (PLACES[who - 1] if who else 0.0) / 2 + PLACES[who] / 2
    held = PLACES[who] / 2 + (PLACES[who + 1] if who < 11 else 1.0) / 2
    assert [arm(PEOPLE[who], share) for share in (treated, held)] == ["treatment", HOLDOUT]
    assert first_decision(PEOPLE[who], scores, limit, treated) == first_decision(PEOPLE[who], scores, limit, held)


def shop_day(rng: random.Random, day: int, budget: Budget, customers: int = 120) -> tuple[list[float], list[float]]:
    """What those who came on a day were worth, and when (hours) and how much those whom an alert was sent to.

    Most customers come in the evening.
    """
    worths, sent = [], []
    hours = sorted(min(23.9, max(0.0, rng.gauss(17, 4))) for _ in range(customers))
    for n, hour in enumerate(hours):
        at, worth = day * DAY_MS + int(hour * HOUR_MS), rng.lognormvariate(3, 1)
        worths.append(worth)
        if budget.allows(KIND, f"{day}-{n}", at, worth):
            budget.spend(KIND, at)
            sent += [hour, worth]
    return worths, sent


def test_a_budget_goes_to_whom_it_is_worth_most_and_lasts_the_day() -> None:
    rng, budget = random.Random(7), Budget({KIND: 20})
    first, *days = [shop_day(rng, day, budget) for day in range(41)]
    # Without a yesterday whoever comes first is served.
    assert first[1][1::2] == first[0][:20]
    spent = [len(sent) // 2 for _, sent in days]
    assert max(spent) <= 20
    assert sum(spent) > 0.92 * 20 * len(days)
    worth = sum(sum(sent[1::2]) for _, sent in days)
    hindsight = sum(sum(sorted(everybody)[-20:]) for everybody, _ in days)
    unasked = sum(sum(everybody[:20]) for everybody, _ in days)
    assert worth > 0.8 * hindsight
    assert worth > 2 * unasked
    late = sum(hour > 17 for _, sent in days for hour in sent[::2]) / sum(spent)
    assert 0.35 < late < 0.65


def test_what_is_held_back_is_counted_by_why() -> None:
    budget = Budget({KIND: 1})
    for n in range(3):
        budget.allows(KIND, f"yesterday-{n}", 20 * HOUR_MS, 50.0)
    assert not budget.allows(KIND, "little", DAY_MS + HOUR_MS, 10.0)
    assert budget.allows(KIND, "much", DAY_MS + HOUR_MS, 60.0)
    budget.spend(KIND, DAY_MS + HOUR_MS)
    assert not budget.allows(KIND, "more", DAY_MS + HOUR_MS, 70.0)
    assert budget.held_back == {(KIND, WORTH): 1, (KIND, SPENT): 1}
    assert budget.allows("churn_risk", "anybody", DAY_MS, 0.0), "a kind without a limit is free"
    assert set(KINDS) >= {KIND, "churn_risk"}


def test_towards_the_end_of_a_day_what_is_left_is_not_kept() -> None:
    budget = Budget({KIND: 2})
    for n in range(50):
        budget.allows(KIND, f"yesterday-{n}", 12 * HOUR_MS, 50.0)
    assert not budget.allows(KIND, "at noon", DAY_MS + 11 * HOUR_MS, 1.0)
    assert budget.allows(KIND, "in the evening", DAY_MS + 20 * HOUR_MS, 1.0)
