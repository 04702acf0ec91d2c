import random
from collections import Counter

import pytest

from deploy.simulate.broken import KINDS, inject, spoil
from deploy.simulate.storefront import Storefront
from schemas.decode import decode
from schemas.errors import Reason, Rejected

START = 1_764_000_000_000
DAY_MS = 86_400_000


def test_every_reason_has_its_kind() -> None:
    assert set(KINDS) == set(Reason)


@pytest.mark.parametrize("reason", KINDS)
def test_each_kind_is_refused_for_its_reason(reason: Reason) -> None:
    event = next(Storefront(1, customers=20).events(START))
    raw = spoil(event, reason)
    if reason is Reason.TIMESTAMP_AHEAD:
        # Only who knows the time can see this one.
        assert decode(raw, "USD").at > START + 50 * 365 * DAY_MS
        return
    with pytest.raises(Rejected) as caught:
        decode(raw, "USD")
    assert caught.value.reason is reason


def test_true_events_are_unchanged_and_the_broken_ones_counted() -> None:
    true = list(Storefront(1, customers=60).events(START, START + 20 * DAY_MS))
    mixed = list(inject(iter(true), 0.1, random.Random(5)))
    assert [event for event, reason in mixed if reason is None] == true
    broken = Counter(reason for _, reason in mixed if reason is not None)
    assert 0.05 < broken.total() / len(true) < 0.15
    assert max(broken.values()) - min(broken.values()) <= 1
    assert mixed == list(inject(iter(true), 0.1, random.Random(5)))
