"""Erasures over two partitions whose workers are killed anywhere: nothing of hers comes back, and no total changes."""

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.merges import Anonymise, Erase
from schemas.outputs import encode
from stream.features.erasure import names
from stream.kafka.partitioner import home
from stream.stages.profile import ProfilePartition
from tests.property.test_identity_crashes import (
    DEVICES,
    SETTINGS,
    TOPICS,
    USERS,
    Doing,
    Kafka,
    Worker,
    does,
    message,
    sent,
    storms,
    work,
)
from tests.property.test_profile_laws import T0

HER = USERS[0]


class Patient(Worker):
    """A worker that knows what it has not read yet, and finishes whole runs of which nothing waits."""

    def __init__(self, kafka: Kafka, number: int) -> None:
        super().__init__(kafka, number)
        self._runs: dict[str, list[int]] = {topic: [] for topic in TOPICS}
        self._finished = self.read.copy()
        self.state = ProfilePartition(number, SETTINGS, self._ends)
        for key, value in kafka.profiles[number]:
            self.state.restore(key, value)

    def _ends(self) -> list[float | None]:
        logs = self.kafka.logs
        return [math.inf if self.read[topic] >= len(logs[topic, self.number]) else None for topic in TOPICS]

    def process(self, topic: str, most: int) -> bool:
        moved = super().process(topic, most)
        if moved:
            self._runs[topic].append(self.read[topic])
        self.state.release(self.out)
        return moved

    def processed(self) -> dict[str, int]:
        waiting = self.state.waiting()
        for topic, runs in self._runs.items():
            while runs and (topic not in waiting or runs[0] <= waiting[topic].first):
                self._finished[topic] = runs.pop(0)
        return self._finished.copy()


def ask(kafka: Kafka, what: type[Erase] | type[Anonymise], **more: Any) -> None:
    """What the command sends, now."""
    number = home(HER, 2)
    after = [len(kafka.logs[topic, number]) for topic in TOPICS[:2]]
    kafka.append("merges", number, encode(what(customer=HER, at=T0, request="r", after=after, **more)))


@given(st.lists(does(st.none() | st.integers(0, 2)), max_size=16), storms())
def test_an_erased_customer_is_nowhere_and_others_have_what_was_theirs_alone(
    doings: list[Doing], what: list[tuple[int, str, str, int]]
) -> None:
    values = [message(doing, n, f"o{n}") for n, doing in enumerate(doings)]
    kafka = sent(values)
    ask(kafka, Erase)
    found = work(kafka, what, Patient)
    assert HER not in found
    assert not any(profile.ids and names(profile.ids, HER) for profile in found.values())
    # Whatever she signed in on may have gone with her; what others did under their own names has not.
    for number, user in enumerate(USERS[1:], 1):
        own = sum(doing.user == number for doing in doings)
        assert (found[user].events if user in found else 0) >= own


@given(st.lists(does(st.none() | st.integers(0, 2)), max_size=16), storms(), storms())
def test_an_anonymised_customers_behaviour_is_in_one_profile_once(
    doings: list[Doing], what: list[tuple[int, str, str, int]], then: list[tuple[int, str, str, int]]
) -> None:
    values = [message(doing, n, f"o{n}") for n, doing in enumerate(doings)]
    kafka = sent(values)
    for acts in (what, then):
        ask(kafka, Anonymise, alias="alias")
        work(kafka, acts, Patient)
    ask(kafka, Erase, step="stub")
    found = work(kafka, [], Patient)
    assert HER not in found
    assert sum(profile.events for profile in found.values()) == len(values)
    placed = [doing for doing in doings if doing.name == "Order Completed"]
    assert sum(profile.orders_total for profile in found.values()) == len(placed)
    assert sum(p.money.get("USD", 0) for p in found.values()) == sum(100 * (10 + one.order) for one in placed)
    for profile in found.values():
        assert not (profile.ids and names(profile.ids, HER))
    assert found.keys() <= {*USERS, *DEVICES, "alias"}
