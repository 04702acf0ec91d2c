"""`evaluate --task next-basket`: on orders made here, of which it is known what can be learned."""

import pytest
from rich.console import Console

from deploy.evaluate import next_basket
from deploy.evaluate.asked import Asked
from schemas.behaviours import Behaviour
from schemas.errors import OperatorError
from schemas.features import DAY_MS
from schemas.outputs import Interaction, Ordered

ASKED = Asked("next-basket", "completejourney", quiet=True)


def order(customer: str, day: float, items: list[str]) -> Interaction:
    return Interaction(
        customer=customer, session=round(day * DAY_MS), item="", behaviour=Behaviour.ORDER, at=round(day * DAY_MS),
        items=[Ordered(item) for item in items],
    )  # fmt: skip


def turning(customers: int = 6, days: int = 320) -> list[Interaction]:
    """Every household buys thirty things in turn, five every second day: never again what it bought last."""
    found = []
    for day in range(0, days, 2):
        for number in range(customers):
            first = 5 * (day // 2 + number) % 30
            found.append(order(f"h{number}", day + number / 100, [f"i{(first + n) % 30}" for n in range(5)]))
    return found


def test_what_is_due_is_found_where_what_is_frequent_says_nothing() -> None:
    found = next_basket.measured(turning(), ASKED, choices=4)
    assert found["frequent"]["recall10"] < 60
    assert found["footfall"]["recall10"] > 90
    low, _ = found["recall10_above_frequent"]["interval"]
    assert low > 0
    assert found["cases"] == 6 * 22
    assert next_basket.measured(turning(), Asked("next-basket", "completejourney", limit=33, quiet=True))["cases"] == 33
    console = Console(record=True, width=120)
    next_basket.show(console, found)
    assert "her most frequent" in console.export_text()


def test_nothing_is_known_too_soon() -> None:
    """Orders of things that were never there before cannot be foreseen by anybody, though all have them later."""
    days = range(next_basket.TEST_FROM + 20)
    baskets = [order(f"h{day % 5}", day, [f"{day}-{n}" for n in range(3)]) for day in days]
    found = next_basket.measured(baskets, ASKED)
    assert {found[way]["recall20"] for way in ("footfall", "frequent", "newest", "popular")} == {0.0}


def test_too_short_a_log_and_another_source_are_refused() -> None:
    with pytest.raises(OperatorError, match="late enough"):
        next_basket.measured([order("h", 1, ["a"])], ASKED)
    with pytest.raises(OperatorError, match="completejourney"):
        next_basket.measure(Asked("next-basket", "taobao"))
