"""Who is whom in one partition: what a login moves, what comes late, what is refused, what is remembered."""

from schemas.behaviours import Behaviour
from schemas.event import Event, Line
from schemas.features import DAY_MS
from schemas.merges import Carry, Forward, Link
from schemas.outputs import Snapshot
from stream.features.codec import decode_profile, encode_profile
from stream.features.engine import Config, Engine
from stream.features.identity import LINK_EVERY_MS, SOURCE, Identities, Outcome
from stream.features.ids import DEVICES, LOGINS, Identity
from stream.features.profile import Profile

T0 = 1_700_000_000_000
MINUTE = 60_000


class Partition:
    """An engine with identities, and offsets that count up by themselves."""

    def __init__(self) -> None:
        self.engine = Engine(Config())
        self.identities = Identities(self.engine)
        self.offset = 0
        self.message = 0

    def event(self, customer: str, at: int, behaviour: Behaviour = Behaviour.VIEW, **more: object) -> Event:
        self.message += 1
        fields: dict[str, object] = {"lines": (Line("item", 1, 1000),), "currency": "USD", "message": self.message}
        return Event(behaviour=behaviour, at=at, customer=customer, **fields | more)  # type: ignore[arg-type]

    def apply(self, event: Event) -> list[object]:
        self.offset += 1
        return [*self.engine.apply(event, 0, self.offset, event.at)]

    def anonymous(self, device: str, at: int, behaviour: Behaviour = Behaviour.VIEW, **more: object) -> Event:
        event = self.event(device, at, behaviour, **more)
        self.apply(event)
        return event

    def signed_in(self, user: str, device: str, at: int, behaviour: Behaviour = Behaviour.VIEW) -> Link | None:
        event = self.event(user, at, behaviour, known=True, anonymous=device)
        self.apply(event)
        return self.identities.link(event)

    def link(self, device: str, user: str, at: int) -> Outcome:
        self.offset += 1
        return self.identities.sign_in(Link(device=device, user=user, at=at), self.offset).outcome

    def late(self, event: Event, offset: int) -> str | None:
        """Whose it is; kept for her, if it is somebody's."""
        user = self.identities.user_of(event, 0, offset)
        if user is not None:
            place = {"topic": "clickstream", "partition": 0, "offset": offset, "arrived": event.at}
            forward = Forward(user=user, event=b"e%d" % event.message, **place)  # type: ignore[arg-type]
            self.identities.hold(event, 0, offset, forward)
        return user

    def barrier(self) -> list[Carry]:
        """What is sent after it, events apart."""
        return [said for said in self.sent() if isinstance(said, Carry)]

    def sent(self) -> list[Carry | Forward]:
        self.identities.flushing()
        list(self.engine.flush())
        return self.identities.durable()

    def take(self, *carries: Carry) -> list[Outcome]:
        found = []
        for carry in carries:
            self.offset += 1
            found.append(self.identities.take(carry, self.offset).outcome)
        return found


def test_a_login_is_told_once_in_a_while_and_identify_always() -> None:
    shop = Partition()
    assert shop.signed_in("u", "d", T0) == Link(device="d", user="u", at=T0)
    assert shop.signed_in("u", "d", T0 + LINK_EVERY_MS - 1) is None
    assert shop.signed_in("u", "d", T0 + 1, Behaviour.IDENTIFY) is not None
    assert shop.signed_in("u", "d", T0 + LINK_EVERY_MS + 1) is not None
    assert shop.signed_in("u", "other", T0 + 2) == Link(device="other", user="u", at=T0 + 2)
    assert shop.signed_in("u", "u", T0) is None, "some tools send the user's id as both"


def test_what_a_device_did_before_the_login_moves_once_it_is_durable_and_is_then_dropped() -> None:
    shop = Partition()
    shop.anonymous("d", T0)
    shop.anonymous("d", T0 + MINUTE, Behaviour.ORDER, order=7, amount=500)
    assert shop.link("d", "u", T0 + 2 * MINUTE) is Outcome.MOVED
    device = shop.engine.profiles["d"]
    assert (device.events, device.orders_total, device.first) == (0, 0, 0)
    assert shop.identities.durable() == [], "not before a flush"
    (carry,) = shop.barrier()
    assert (carry.device, carry.user, carry.at) == ("d", "u", T0 + 2 * MINUTE)
    assert shop.take(carry, carry) == [Outcome.TAKEN, Outcome.REPEATED]
    assert (shop.engine.profiles["u"].events, shop.engine.profiles["u"].money) == (2, {"USD": 500})
    assert device.ids is not None
    assert device.ids.outgoing == {}
    assert dict(shop.engine.flush()).keys() == {"d", "u"}, "the slot goes with the next flush"
    assert shop.barrier() == []


def test_a_slot_that_is_restored_is_sent_again_as_the_same_bytes_however_often_it_was_stored() -> None:
    shop = Partition()
    shop.anonymous("d", T0)
    shop.link("d", "u", T0)
    stored = encode_profile(shop.engine.profiles["d"])
    (carry,) = shop.barrier()
    restarted = Partition()
    for _ in range(2):
        profile = decode_profile(stored)
        restarted.identities.restore("d", profile)
        restarted.engine.restore(profile)
    # Frozen while it waits: it has to become durable first.
    restarted.offset = restarted.message = 100
    restarted.anonymous("d", T0 + 5 * MINUTE)
    restarted.link("d", "u", T0 + 6 * MINUTE)
    assert restarted.identities.durable() == [carry]
    assert [second.generation for second in restarted.barrier()] == [restarted.offset]


def test_two_people_on_one_browser_each_get_what_came_before_their_own_login() -> None:
    shop = Partition()
    shop.anonymous("d", T0)
    shop.link("d", "ann", T0 + MINUTE)
    shop.anonymous("d", T0 + 2 * MINUTE)
    shop.anonymous("d", T0 + 3 * MINUTE)
    shop.link("d", "bob", T0 + 4 * MINUTE)
    shop.anonymous("d", T0 + 5 * MINUTE)
    shop.take(*shop.barrier())
    counts = {name: profile.events for name, profile in shop.engine.profiles.items()}
    assert counts == {"d": 1, "ann": 1, "bob": 2}
    late = [shop.event("d", T0 + minutes * MINUTE) for minutes in (0, 1, 2, 4, 6)]
    assert [shop.identities.user_of(event, 0, 1000 + n) for n, event in enumerate(late)] == [
        "ann",
        "ann",
        "bob",
        "bob",
        None,
    ]


def test_a_late_event_is_sent_once_it_is_durable_that_it_is_and_no_second_time_when_it_is_read_again() -> None:
    shop = Partition()
    shop.link("d", "u", T0)
    event = shop.event("d", T0 - MINUTE)
    assert shop.late(event, 50) == "u"
    assert shop.late(event, 50) is None
    assert shop.identities.durable() == []
    stored = decode_profile(encode_profile(shop.engine.profiles["d"]))
    (sent,) = shop.sent()
    assert isinstance(sent, Forward)
    assert (sent.user, sent.event, sent.offset) == ("u", b"e1", 50)
    assert shop.sent() == []
    shop.engine.apply(event, 0, 50, T0)
    assert shop.engine.profiles["d"].events == 0
    restarted = Partition()
    restarted.engine.restore(stored)
    restarted.identities.restore("d", stored)
    assert restarted.sent() == [sent]


def test_what_changes_an_order_follows_it_to_the_user_however_late_it_comes() -> None:
    shop = Partition()
    shop.anonymous("d", T0, Behaviour.ORDER, order=7, amount=500)
    shop.link("d", "u", T0)
    refund = shop.event("d", T0 + DAY_MS, Behaviour.REFUND, order=7)
    other = shop.event("d", T0 + DAY_MS, Behaviour.REFUND, order=8)
    assert shop.late(refund, 100) == "u"
    assert shop.late(other, 101) is None
    late = shop.event("d", T0 - MINUTE, Behaviour.ORDER, order=9)
    assert shop.late(late, 102) == "u"
    assert shop.identities.user_of(shop.event("d", T0 + DAY_MS, Behaviour.CANCEL, order=9), 0, 103) == "u"


def test_a_profile_with_behaviour_after_the_login_moves_whole_and_its_repeats_are_still_known() -> None:
    shop = Partition()
    shop.anonymous("d", T0)
    after = shop.anonymous("d", T0 + 2 * MINUTE)
    assert shop.link("d", "u", T0 + MINUTE) is Outcome.STRADDLED
    shop.take(*shop.barrier())
    assert shop.engine.profiles["u"].events == 2
    assert shop.link("d", "bob", T0 + 3 * MINUTE) is Outcome.REMEMBERED
    assert shop.identities.user_of(after, 0, 100) is None, "bob has nothing to do with it"
    shop.apply(after)
    assert shop.engine.profiles["d"].events == 0


def test_a_login_before_all_that_the_device_did_moves_nothing() -> None:
    shop = Partition()
    shop.anonymous("d", T0)
    assert shop.link("d", "u", T0 - 1) is Outcome.REMEMBERED
    assert shop.engine.profiles["d"].events == 1


def test_nobody_gets_a_customers_profile_by_sending_her_id_as_anonymous() -> None:
    shop = Partition()
    shop.apply(shop.event("victim", T0, known=True))
    assert shop.link("victim", "thief", T0 + MINUTE) is Outcome.REFUSED
    assert shop.barrier() == []
    victim = shop.engine.profiles["victim"]
    assert victim.events == 1
    assert victim.ids is None
    # Also when only a device has made her known here.
    carry = Carry(device="d", user="new", at=T0, generation=1, profile=encode_profile(Profile("d")))
    shop.take(carry)
    assert shop.link("new", "thief", T0 + MINUTE) is Outcome.REFUSED


def test_a_device_that_has_handed_all_over_only_expires_and_never_while_something_is_on_its_way() -> None:
    shop = Partition()
    shop.anonymous("d", T0, Behaviour.CART_ADD)
    shop.link("d", "u", T0)
    years = T0 + 1200 * DAY_MS
    assert shop.engine.advance(years, years) == []
    assert "d" in shop.engine.profiles
    shop.barrier()
    shop.engine.advance(years + 1, years + 1)
    assert "d" not in shop.engine.profiles


def test_the_users_timers_see_what_was_carried() -> None:
    shop = Partition()
    shop.anonymous("d", T0)
    shop.anonymous("d", T0 + MINUTE, Behaviour.CART_ADD)
    shop.signed_in("u", "d", T0 + 2 * MINUTE, Behaviour.IDENTIFY)
    shop.link("d", "u", T0 + 2 * MINUTE)
    shop.take(*shop.barrier())
    fired = shop.engine.advance(T0 + 2 * 60 * MINUTE, T0)
    triggers = [(record.customer, record.trigger) for record in fired if isinstance(record, Snapshot)]
    assert ("u", "cart_abandoned") in triggers
    assert {customer for customer, _ in triggers} == {"u"}


def test_the_devices_predictions_end_and_the_orders_count_for_the_users() -> None:
    shop = Partition()
    shop.anonymous("d", T0, Behaviour.ORDER, order=7, amount=500)
    shop.offset += 1
    done = shop.identities.sign_in(Link(device="d", user="u", at=T0 + MINUTE), shop.offset)
    assert [(i.customer, i.behaviour, i.at) for i in done.interactions] == [("d", Behaviour.IDENTIFY, T0 + MINUTE)]
    (carry,) = shop.barrier()
    told = shop.identities.take(carry, shop.offset + 1).interactions
    assert [(i.customer, i.behaviour, i.at, i.order, i.item) for i in told] == [("u", Behaviour.ORDER, T0, 7, "")]


def test_what_was_given_back_of_the_devices_orders_counts_for_the_users_once() -> None:
    shop = Partition()
    shop.anonymous("d", T0, Behaviour.ORDER, order=7, amount=500)
    shop.anonymous("d", T0 + MINUTE, Behaviour.REFUND, order=7, amount=200)
    shop.anonymous("d", T0 + MINUTE, Behaviour.ORDER_UPDATE, order=7, amount=400)
    shop.link("d", "u", T0 + 2 * MINUTE)
    (carry,) = shop.barrier()
    told = shop.identities.take(carry, shop.offset + 1).interactions
    assert [(i.behaviour, i.at, i.amount) for i in told] == [
        (Behaviour.ORDER, T0, 400),
        (Behaviour.ORDER_UPDATE, T0 + MINUTE, 400),
        (Behaviour.REFUND, T0, 200),
    ]
    assert len({i.event for i in told}) == 3


def test_a_device_that_expired_and_came_back_is_taken_from_again() -> None:
    shop = Partition()
    shop.anonymous("d", T0)
    shop.link("d", "u", T0)
    shop.take(*shop.barrier())
    shop.barrier()
    del shop.engine.profiles["d"]
    shop.anonymous("d", T0 + DAY_MS)
    shop.link("d", "u", T0 + DAY_MS)
    assert shop.take(*shop.barrier()) == [Outcome.TAKEN]
    assert shop.engine.profiles["u"].events == 2


def test_what_is_remembered_is_bounded() -> None:
    ids = Identity()
    for number in range(10):
        ids.sign_in(T0 + number, f"u{number}")
        ids.sign_in(T0 + number, f"u{number}")
    assert ids.logins == [(T0 + n, f"u{n}") for n in range(10 - LOGINS, 10)]
    for number in range(DEVICES + 3):
        ids.device(f"d{number:02}", T0 + number)
    assert min(ids.devices) == "d03"
    assert len(ids.devices) == DEVICES


def test_of_one_users_logins_in_a_row_the_last_is_kept_and_a_link_that_comes_late_finds_its_place() -> None:
    ids = Identity()
    for at, user in ((1, "ann"), (5, "ann"), (9, "bob"), (3, "cid")):
        ids.sign_in(at, user)
    assert ids.logins == [(3, "cid"), (5, "ann"), (9, "bob")]
    assert [ids.user_at(at) for at in (0, 3, 4, 9, 10)] == ["cid", "cid", "ann", "bob", None]


def test_a_frozen_profile_carries_neither_offsets_nor_identities() -> None:
    shop = Partition()
    shop.anonymous("d", T0)
    shop.link("d", "u", T0)
    (carry,) = shop.barrier()
    frozen = decode_profile(carry.profile)
    assert (frozen.applied, frozen.ids) == ({}, None)
    assert SOURCE in shop.engine.profiles["d"].applied


def test_an_ordinary_profile_pays_two_bytes() -> None:
    assert encode_profile(Profile("c"))[-2:] == b"\xc2\xc0"
