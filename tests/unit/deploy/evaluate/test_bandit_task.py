"""`evaluate --task bandit`: on a shop made here, of which it is known what can be learned."""

import pytest
from rich.console import Console

from deploy.evaluate import bandit
from deploy.evaluate.asked import Asked
from online.recommend.sources import SOURCES
from schemas.behaviours import Behaviour
from schemas.errors import OperatorError
from schemas.outputs import Interaction, Ordered

ASKED = Asked("bandit", "simulated", quiet=True, limit=10_000)
HOUR = 3_600_000


def two_kinds(visits: int) -> list[Interaction]:
    """Who has something in the cart takes what is of its kind next; who has not takes what always follows."""
    log = []
    for n in range(visits):
        customer, at = f"c{n % 40}", n * HOUR
        pair = n * 7 % 30
        steps: list[tuple[str, Behaviour, str]] = [(f"first{pair}", Behaviour.VIEW, f"aisle {pair}")]
        if n % 2:
            steps += [(f"thing{n % 9}", Behaviour.CART_ADD, "things"), (f"thing{n * 5 % 9}", Behaviour.VIEW, "things")]
            steps += [(item, Behaviour.CART_REMOVE, "") for item, kind, _ in steps if kind == Behaviour.CART_ADD]
        else:
            steps.append((f"second{pair}", Behaviour.VIEW, ""))
        log += [
            Interaction(customer=customer, session=at, item=item, behaviour=kind, at=at + number, category=category)
            for number, (item, kind, category) in enumerate(steps)
        ]
    return log


def test_a_bandit_that_learns_beats_the_lot_and_every_policy_is_told_of() -> None:
    found = bandit.measured(two_kinds(1_500), ASKED, 0.05)
    fixed = {f"{source} first" for source in SOURCES}
    assert found["success"].keys() == {"bandit", "choices", "average", "fixed", "prior", "random"} | fixed
    assert found["bandit_above"]["random"]["interval"][0] > 0
    assert found["lists"] > 1_000
    assert found["customers"] == 40
    assert found["lists_learned"] > 1_000
    console = Console(record=True, width=140)
    bandit.show(console, found)
    assert "averages of the first third" in console.export_text()


def test_the_same_log_gives_the_same_figures() -> None:
    log = two_kinds(300)
    assert bandit.measured(log, ASKED, 0.1) == bandit.measured(log, ASKED, 0.1)


def test_an_order_is_one_occasion() -> None:
    log = [
        Interaction(
            customer=f"c{n % 5}", session=n, item="", behaviour=Behaviour.ORDER, at=n * 12 * HOUR,
            items=[Ordered(f"i{(n + m) % 6}") for m in range(4)],
        )
        for n in range(90)
    ]  # fmt: skip
    found = bandit.measured(log, ASKED, 0.0)
    assert found["lists"] <= 60
    assert 0 < found["success"]["bandit"] <= 100


def test_she_looks_at_the_first_places_of_a_list_alone() -> None:
    trial = bandit.Trial(0.0, 7)
    for told in two_kinds(40):
        if told.behaviour == Behaviour.VIEW:
            trial.ask(told)
        trial.happen(told)
    waiting, _ = trial.ways["bandit"].lists.dump()
    assert waiting
    depths = set()
    for one in waiting:
        items = one.shown.items
        depth = sum(map(bool, items))
        assert all(items[:depth])
        assert not any(items[depth:])
        assert len(one.shown.sources) == len(items)
        assert set(one.shown.sources) <= set(SOURCES)
        depths.add(depth)
    assert len(depths) > 2


def test_too_short_a_log_is_refused() -> None:
    with pytest.raises(OperatorError, match="too few"):
        bandit.measured(two_kinds(1)[:1], ASKED, 0.0)
