"""Erasure in one partition: what goes, what stays, who else is told, and that twice is once."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from schemas.behaviours import Behaviour
from schemas.event import Event, Line
from schemas.features import DAY_MS
from schemas.merges import Anonymise, Carry, Erase, Forget, Link
from stream.features.codec import decode_profile, encode_profile
from stream.features.engine import Config, Engine
from stream.features.erasure import Erasures, anonymous, names
from stream.features.identity import SOURCE, Identities
from stream.features.profile import Profile

T0 = 1_700_000_000_000
MINUTE = 60_000


class Partition:
    """One partition's engine, identities and erasures; everybody lives here."""

    def __init__(self) -> None:
        self.engine = Engine(Config())
        self.identities = Identities(self.engine)
        numbers = count(1)
        self.erasures = Erasures(self.engine, self.identities, lambda: next(numbers) << 32 | 7)
        self.offset = 0

    def next(self) -> int:
        self.offset += 1
        return self.offset

    def does(self, customer: str, behaviour: Behaviour = Behaviour.VIEW, **more: object) -> Event:
        offset = self.next()
        fields: dict[str, object] = {"lines": (Line("item", 1, 1000),), "currency": "USD", "message": offset << 20}
        event = Event(behaviour=behaviour, at=T0 + offset * MINUTE, customer=customer, **fields | more)  # type: ignore[arg-type]
        self.engine.apply(event, 0, offset, event.at)
        return event

    def signs_in(self, user: str, device: str) -> None:
        link = self.identities.link(self.does(user, Behaviour.IDENTIFY, known=True, anonymous=device))
        assert isinstance(link, Link)
        self.identities.sign_in(link, self.next())

    def barrier(self) -> list[Carry]:
        self.identities.flushing()
        list(self.engine.flush())
        return [said for said in self.identities.durable() if isinstance(said, Carry)]

    def told(self, forgets: list[Forget]) -> list[Erase]:
        return [answer for said in forgets if (answer := self.erasures.forget(said)) is not None]


def erase(customer: str = "ann", **more: object) -> Erase:
    return Erase(customer=customer, at=T0, request="r", **more)  # type: ignore[arg-type]


def anonymise(customer: str = "ann") -> Anonymise:
    return Anonymise(customer=customer, alias="alias", at=T0, request="r")


def stitched() -> Partition:
    """A device's visit, then ann's login on it, and what she did herself; and bob."""
    found = Partition()
    found.does("phone")
    found.signs_in("ann", "phone")
    for carry in found.barrier():
        found.identities.take(carry, found.next())
    found.does("ann", Behaviour.SEARCH, lines=(), text="my secret")
    found.does("ann", Behaviour.ORDER, order=77 << 32 | 5, amount=1000)
    found.does("bob")
    found.barrier()
    return found


def test_profile_and_devices_forget_her_and_nobody_else_notices() -> None:
    shop = stitched()
    bob = shop.engine.profiles["bob"]
    forgets = shop.erasures.erase(erase())
    assert forgets == [Forget(holder="phone", name="ann", at=T0, request="r", answer=True)]
    (answer,) = shop.told(forgets)
    assert (answer.customer, answer.step) == ("ann", "again")
    assert shop.erasures.erase(answer) == []
    # A device of nobody is gone as well: nothing was left in its record.
    assert {customer: profile is None for customer, profile in shop.engine.flush()} == {"ann": True, "phone": True}
    assert list(shop.engine.profiles) == ["bob"]
    assert shop.engine.profiles["bob"] is bob
    assert shop.erasures.erase(erase()) == []
    assert list(shop.engine.flush()) == []
    # Her timers are gone with her: only bob's go off.
    told = shop.engine.advance(T0 + 40 * DAY_MS, T0 + 40 * DAY_MS)
    assert {record.customer for record in told} == {"bob"}


def test_what_a_device_has_on_its_way_to_her_is_dropped_and_anothers_login_stays() -> None:
    shop = stitched()
    shop.signs_in("bob", "phone")
    shop.does("phone")
    shop.signs_in("ann", "phone")
    phone = shop.engine.profiles["phone"]
    assert phone.ids is not None
    assert names(phone.ids, "ann")
    assert [slot.user for slot in phone.ids.outgoing.values()] == ["ann"]
    shop.told(shop.erasures.erase(erase()))
    assert not names(phone.ids, "ann")
    assert names(phone.ids, "bob")
    assert shop.barrier() == []
    assert "ann" not in shop.engine


def test_a_profile_that_nobody_has_touched_since_the_restart_is_erased_as_well() -> None:
    shop = stitched()
    again = Partition()
    for customer, profile in shop.engine.profiles.items():
        again.engine.restore_stored(customer, encode_profile(profile))
    again.told(again.erasures.erase(erase()))
    assert dict(again.engine.flush()) == {"ann": None, "phone": None}
    assert "ann" not in again.engine
    assert "bob" in again.engine


def test_an_anonymised_profile_goes_once_and_an_empty_record_stays_until_it_may_go() -> None:
    shop = stitched()
    before = shop.engine.profiles["ann"]
    said, offset = anonymise(), shop.next()
    forgets = shop.erasures.anonymise(said, offset)
    assert forgets == [Forget(holder="phone", name="ann", at=T0, request="r", drop=False)]
    assert shop.told(forgets) == []
    assert shop.erasures.anonymise(said, offset) == []
    # What is on its way keeps the record.
    shop.erasures.erase(erase(step="stub"))
    assert "ann" in shop.engine
    (carry,) = shop.barrier()
    assert (carry.user, carry.device, carry.generation) == ("alias", "alias", offset)
    for _ in range(2):
        shop.identities.take(carry, shop.next())
    alias = shop.engine.profiles["alias"]
    assert (alias.events, alias.orders_total, alias.money, alias.counters) == (
        before.events,
        before.orders_total,
        before.money,
        before.counters,
    )
    stub = shop.engine.profiles["ann"]
    assert (stub.events, stub.applied[SOURCE]) == (0, offset)
    shop.erasures.erase(erase(step="stub"))
    assert "ann" not in shop.engine
    # Somebody who has come back since is no empty record.
    shop.does("ann")
    shop.erasures.erase(erase(step="stub"))
    assert shop.engine.profiles["ann"].events == 1


def test_a_second_part_is_added_to_the_alias_without_taking_an_order_for_another() -> None:
    shop = stitched()
    for order in (1, 2):
        shop.does("ann", Behaviour.ORDER, order=order << 32, amount=500)
        shop.erasures.anonymise(anonymise(), shop.next())
        for carry in shop.barrier():
            shop.identities.take(carry, shop.next())
    alias = shop.engine.profiles["alias"]
    assert (alias.orders_total, alias.money) == (3, {"USD": 2000})


def test_nothing_of_an_anonymised_profile_is_hers_or_written_by_her() -> None:
    shop = stitched()
    before = shop.engine.profiles["ann"]
    shop.erasures.anonymise(anonymise(), shop.next())
    (carry,) = shop.barrier()
    after = decode_profile(carry.profile)
    assert (after.customer, after.ids, after.seen, after.applied, after.known) == ("alias", None, {}, {}, False)
    assert not before.orders.keys() & after.orders.keys()
    assert not {moment.message for moment in before.story} & {moment.message for moment in after.story}
    assert [moment.words for moment in after.story if moment.behaviour == Behaviour.SEARCH] == [""]
    (order,) = after.orders
    (bought,) = [moment for moment in after.story if moment.behaviour == Behaviour.ORDER]
    # A change of the order still finds its moment.
    assert bought.message == order & 0xFFFFFFFF
    assert b"ann" not in carry.profile
    assert b"secret" not in carry.profile


@given(st.lists(st.tuples(st.sampled_from([b for b in Behaviour if b < Behaviour.ORDER]), st.text(max_size=9))))
def test_figures_do_not_change_with_the_name(behaviours: list[tuple[Behaviour, str]]) -> None:
    shop = Partition()
    for behaviour, text in behaviours:
        shop.does("ann", behaviour, text=text)
    profile = shop.engine.profiles.get("ann", Profile("ann"))
    numbers = count(1)
    found = anonymous(profile, "alias", lambda: next(numbers))
    assert (found.counters, found.habits, found.cart, found.owned) == (
        profile.counters,
        profile.habits,
        profile.cart,
        profile.owned,
    )
    assert [(m.at, m.behaviour, m.item) for m in found.story] == [(m.at, m.behaviour, m.item) for m in profile.story]
