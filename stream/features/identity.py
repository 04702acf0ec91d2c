"""Anonymous behaviour becomes the customer's: who signed in where, and what moves because of it. One partition's side.

::

    the user's partition            merges            the device's partition
    event with both ids  ───────────  link ──────────>  its profile is frozen into a slot; it starts afresh
                                                             ·  barrier: the slot is durable
    merged, once a generation  <────  carry ──────────       ·
                                                             ·  barrier: the carry is acknowledged, the slot dropped
    applied like any other  <───────  event ──────────  an anonymous event of before the login comes late

Nothing is lost or counted twice, wherever a worker is killed. What moves, an event that comes late as well, waits in a
slot of the device's record until Kafka has it; a slot that is restored is sent again as the same bytes, and the user
knows what she has taken by its generation or its message. Nothing is sent before its slot is durable: read again after
a crash the topics interleave anew, and what went as an event the first time may be part of a profile the second.
A generation is the offset of the link that froze it: it grows, also when the device's record has expired in between.

What is given up: a profile that has behaviour on both sides of the login moves whole (of two people on one browser,
the one who signs in gets what the other did before the link arrived); a login that is heard of after a later one of
somebody else takes nothing back; a user's logins are told at most every five minutes of event time, `identify` apart;
a device remembers its last four changes of user, a user her last eight devices.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from schemas.behaviours import Behaviour
from schemas.errors import Reason, Rejected
from schemas.event import Event
from schemas.hashing import message_key
from schemas.merges import Carry, Forward, Link
from schemas.outputs import Interaction
from stream.features.apply import ORDER_CHANGES, remember
from stream.features.codec import decode_profile, encode_profile
from stream.features.engine import Engine
from stream.features.ids import Identity
from stream.features.merge import merge
from stream.features.profile import Profile

SOURCE: Final = 2  # `merges` among the input topics, whose offsets a profile remembers
LINK_EVERY_MS: Final = 1_800_000  # a session: SDKs put both ids on every event


class Outcome(StrEnum):
    """What came of a link or a carry."""

    REMEMBERED = "remembered"  # the login is noted: there was nothing to move
    MOVED = "moved"
    STRADDLED = "straddled"  # moved whole, although some of it came after the login
    REFUSED = "refused"  # the device's id is somebody's userId
    TAKEN = "taken"
    REPEATED = "repeated"  # known: a crash made it come again


class Done(NamedTuple):
    """What came of a record, and what it tells the other stages."""

    outcome: Outcome
    interactions: list[Interaction]


class Identities:
    """The identities of one partition's profiles. Pure but for the engine's state and its own: what is on its way."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # Generations by device: frozen since the last flush, and written by one.
        self._frozen: list[tuple[int, str]] = []
        self._written: dict[str, list[int]] = {}

    def restore(self, customer: str, profile: Profile | None) -> None:
        """A stored profile (None: it is gone): what was on its way is so still."""
        self._written.pop(customer, None)
        if profile is not None and profile.ids is not None and profile.ids.outgoing:
            self._written[customer] = list(profile.ids.outgoing)

    def link(self, event: Event) -> Link | None:
        """The link to send because of an event with both ids that has just been applied, if it says anything new."""
        user, device = event.customer, event.anonymous
        if device == user:
            return None
        known = _identity(self._engine.profiles[user])
        before = known.devices.get(device)
        told = before is not None and abs(event.at - before.linked) < LINK_EVERY_MS
        if told and event.behaviour != Behaviour.IDENTIFY:
            return None
        entry = known.device(device, event.at)
        entry.linked = max(entry.linked, event.at)
        self._engine.dirty.add(user)
        return Link(device=device, user=user, at=event.at)

    def user_of(self, event: Event, source: int, offset: int) -> str | None:
        """Whose an anonymous event is that came after its device's behaviour had moved; None: the device's own."""
        device = self._engine.find(event.customer)
        if device is None or device.ids is None:
            return None
        if device.applied.get(source, -1) >= offset or event.message in device.seen:
            return None
        moved = device.ids.moved.get(event.order) if event.behaviour in ORDER_CHANGES else None
        return moved or device.ids.user_at(event.at)

    def hold(self, event: Event, source: int, offset: int, forward: Forward) -> None:
        """Keep such an event until that is durable; here it is applied and seen: coming again, it changes nothing."""
        device = self._engine.profiles[event.customer]
        ids = _identity(device)
        if event.behaviour in ORDER_CHANGES:
            ids.move(event.order, forward.user)
        device.applied = device.applied | {source: offset}
        remember(device, event.message)
        self.keep(device, -1 - event.message, forward)

    def keep(self, profile: Profile, number: int, slot: Carry | Forward) -> None:
        """Put what is to be sent into a slot of a record; it goes out once that is durable."""
        _identity(profile).outgoing[number] = slot
        self._frozen.append((number, profile.customer))
        self._engine.dirty.add(profile.customer)

    def sign_in(self, link: Link, offset: int) -> Done:
        """A user signed in on a device that lives here: freeze what it did before, to be sent once that is durable."""
        engine = self._engine
        device = engine.find(link.device)
        if device is None:
            device = engine.profiles[link.device] = Profile(link.device)
        elif device.applied.get(SOURCE, -1) >= offset:
            return Done(Outcome.REPEATED, [])
        device.applied = device.applied | {SOURCE: offset}
        if device.known:
            # Whoever sends another's userId as her own anonymousId would get that customer's profile.
            engine.changed(device, link.at)
            return Done(Outcome.REFUSED, [])
        _identity(device).sign_in(link.at, link.user)
        if not device.first or device.first > link.at:
            engine.changed(device, link.at)
            return Done(Outcome.REMEMBERED, [])
        straddled = device.last > link.at
        told = _ended(device, link.at)
        self._freeze(device, link, offset)
        return Done(Outcome.STRADDLED if straddled else Outcome.MOVED, told)

    def _freeze(self, device: Profile, link: Link, offset: int) -> None:
        ids, device.ids = _identity(device), None
        # What was applied here says nothing of the user's partition.
        applied, device.applied = device.applied, {}
        carry = Carry(device=link.device, user=link.user, at=link.at, generation=offset, profile=encode_profile(device))
        for order in device.orders:
            ids.move(order, link.user)
        # A message that comes again comes here again.
        fresh = Profile(device.customer, touched=device.touched, seen=device.seen, applied=applied, ids=ids)
        self._engine.profiles[device.customer] = fresh
        self.keep(fresh, offset, carry)
        self._engine.changed(fresh, link.at)

    def take(self, carry: Carry, offset: int) -> Done:
        """A device's profile for a user who lives here: merged, once. Raises `Rejected` where it cannot be read."""
        engine = self._engine
        user = engine.find(carry.user)
        if user is not None and user.applied.get(SOURCE, -1) >= offset:
            return Done(Outcome.REPEATED, [])
        try:
            frozen = decode_profile(carry.profile)
        except (ValueError, msgspec.DecodeError) as error:
            raise Rejected(Reason.BAD_VALUE, f"the carried profile cannot be read: {error}", "$.profile") from error
        if user is None:
            user = engine.profiles[carry.user] = Profile(carry.user)
        user.applied = user.applied | {SOURCE: offset}
        entry = _identity(user).device(carry.device, carry.at)
        if entry.taken >= carry.generation:
            engine.changed(user)
            return Done(Outcome.REPEATED, [])
        entry.taken = carry.generation
        user.known = True
        # Partitions run ahead of one another: silence that only the device's has seen is still to be told here.
        frozen.fired = min(frozen.fired, engine.clock)
        merge(user, frozen, engine.config.currency)
        engine.changed(user, carry.at)
        return Done(Outcome.TAKEN, list(_bought(user.customer, carry, frozen)))

    def flushing(self) -> None:
        """A flush begins: it writes what is frozen by now, and what is frozen after it waits for the next."""
        frozen, self._frozen = self._frozen, []
        for generation, name in frozen:
            self._written.setdefault(name, []).append(generation)

    def durable(self) -> list[Carry | Forward]:
        """What has been flushed is durable: what to send now, profiles of a device the oldest first.

        Their slots are gone with the next flush, which becomes durable only after all that was sent before it.
        """
        written, self._written = self._written, {}
        found: list[Carry | Forward] = []
        for generation, name in sorted((generation, name) for name, every in written.items() for generation in every):
            device = self._engine.find(name)
            if device is None or device.ids is None or generation not in device.ids.outgoing:
                continue
            found.append(device.ids.outgoing.pop(generation))
            self._engine.dirty.add(name)
            self._engine.arm(device)
        return found


def _identity(profile: Profile) -> Identity:
    if profile.ids is None:
        profile.ids = Identity()
    return profile.ids


def _ended(device: Profile, at: int) -> list[Interaction]:
    """That the device's predictions end, if there are any: nobody will know what came of them."""
    if not device.scored:
        return []
    until = max(at, device.last, device.scored)
    return [Interaction(customer=device.customer, session=at, item="", behaviour=Behaviour.IDENTIFY, at=until)]


def _bought(user: str, carry: Carry, device: Profile) -> Iterator[Interaction]:
    """The device's orders as the user's own, so that her predictions are judged by them; no items: these are known.

    What was given back of an order is told as of the order's time: when that was, its entry does not say.
    """
    for order, entry in device.orders.items():
        total, back = entry.total, None if entry.returned else entry.refunded
        changes = (
            (Behaviour.ORDER, entry.placed, entry.at, total),
            (Behaviour.ORDER_UPDATE, entry.updated, entry.updated, total),
            (Behaviour.REFUND, back != 0, entry.at, back),
            (Behaviour.CANCEL, entry.cancelled, entry.at, None),
        )
        for behaviour, true, at, amount in changes:
            if true:
                yield Interaction(
                    customer=user,
                    session=at,
                    item="",
                    behaviour=behaviour,
                    at=at,
                    order=order,
                    event=message_key(f"{carry.device}|{carry.generation}|{order}|{behaviour:d}"),
                    amount=amount,
                    currency=entry.currency,
                )
