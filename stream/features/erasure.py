"""Forgetting a customer: what goes from one partition's profiles, and who else must be told. Pure.

::

    the customer's partition        merges          the partition of a device of hers
    erase: her profile is gone  ───── forget ────>  its record names her no longer, and sends her nothing more
    erase `again`: what the     <──── erase ──────  (behind all that it had sent to her before)
    device had sent is gone

    anonymise: her profile is frozen into a slot ──── carry ────>  the alias's partition: merged, once

Every step may come again after a crash, and does the same again. What is frozen for an alias uses the slots of
`stream.features.identity`; the empty record that stays behind knows which events it has given away, and is removed by
an `erase` of step `stub` once these can no longer be read again.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from schemas.behaviours import Behaviour
from schemas.merges import Anonymise, Carry, Erase, Forget
from stream.features.apply import SHORT
from stream.features.codec import encode_profile
from stream.features.engine import Engine
from stream.features.identity import SOURCE, Identities
from stream.features.ids import Identity
from stream.features.kept import Moment
from stream.features.profile import Profile

# Behaviours whose words the customer wrote herself; those of the others are the shop's names of things.
FREE_WORDS: Final = frozenset({Behaviour.SEARCH, Behaviour.REVIEW})

# A number that nothing follows from, above 0 and below 2^62.
Number = Callable[[], int]


class Erasures:
    """Erasure over one partition's profiles."""

    def __init__(self, engine: Engine, identities: Identities, number: Number) -> None:
        self._engine = engine
        self._identities = identities
        self._number = number

    def erase(self, said: Erase) -> list[Forget]:
        """The customer's profile is gone, with what is on its way from it; gives what her devices' partitions do."""
        engine = self._engine
        profile = engine.find(said.customer)
        if profile is None or (said.step == "stub" and not _empty(profile)):
            return []
        engine.drop(said.customer)
        return [
            Forget(holder=device, name=said.customer, at=said.at, request=said.request, answer=said.step == "first")
            for device in (profile.ids.devices if profile.ids is not None else ())
        ]

    def anonymise(self, said: Anonymise, offset: int) -> list[Forget]:
        """The customer's profile goes into a slot, as the alias's; an empty record stays until `stub`."""
        engine = self._engine
        profile = engine.find(said.customer)
        if profile is None or profile.applied.get(SOURCE, -1) >= offset:
            return []
        known = profile.ids or Identity()
        stub = Profile(
            profile.customer,
            touched=profile.touched,
            applied=profile.applied | {SOURCE: offset},
            ids=Identity(outgoing=known.outgoing),
        )
        engine.profiles[stub.customer] = stub
        if profile.first:
            frozen = encode_profile(anonymous(profile, said.alias, self._number))
            # The alias remembers itself as the device that this came from, and no id of the customer's.
            carry = Carry(device=said.alias, user=said.alias, at=profile.last, generation=offset, profile=frozen)
            self._identities.keep(stub, offset, carry)
        engine.changed(stub)
        return [
            Forget(holder=device, name=said.customer, at=said.at, request=said.request, drop=False)
            for device in known.devices
        ]

    def forget(self, said: Forget) -> Erase | None:
        """The holder's record names somebody no longer; gives the answer that is wanted."""
        engine = self._engine
        holder = engine.find(said.holder)
        if holder is not None and holder.ids is not None:
            _forget(holder.ids, said)
            if _empty(holder):
                engine.drop(said.holder)
            else:
                engine.changed(holder)
        if not said.answer:
            return None
        return Erase(customer=said.name, at=said.at, request=said.request, step="again")


def names(ids: Identity, name: str) -> bool:
    """Whether a record's identity names somebody."""
    return (
        name in ids.devices
        or any(user == name for _, user in ids.logins)
        or name in ids.moved.values()
        or any(slot.user == name for slot in ids.outgoing.values())
    )


def anonymous(profile: Profile, alias: str, number: Number) -> Profile:
    """The profile as the alias's: its figures, without ids, and without words that she wrote.

    Orders get numbers by chance, so that the id of an order leads nobody to the alias; messages are forgotten.
    """
    orders = {order: number() for order in profile.orders}
    shorts = {order & SHORT: new & SHORT for order, new in orders.items()}

    def moment(old: Moment) -> Moment:
        known = shorts.get(old.message) if old.behaviour == Behaviour.ORDER else None
        return Moment(
            old.at,
            number() & SHORT if known is None else known,
            old.behaviour,
            old.item,
            old.category,
            old.brand,
            old.amount,
            old.pieces,
            "" if old.behaviour in FREE_WORDS else old.words,
        )

    at, _, rating = profile.rating
    return replace(
        profile,
        customer=alias,
        story=sorted(map(moment, profile.story)),
        orders={orders[order]: entry for order, entry in profile.orders.items()},
        rating=(at, 0, rating),
        sentiments=[one._replace(message=number() & SHORT) for one in profile.sentiments],
        seen={},
        applied={},
        known=False,
        ids=None,
    )


def _forget(ids: Identity, said: Forget) -> None:
    name = said.name
    ids.devices.pop(name, None)
    ids.logins = [login for login in ids.logins if login[1] != name]
    ids.moved = {order: user for order, user in ids.moved.items() if user != name}
    if said.drop:
        ids.outgoing = {number: slot for number, slot in ids.outgoing.items() if slot.user != name}


def _empty(profile: Profile) -> bool:
    """Whether a record holds no behaviour and nothing of anybody's identity."""
    ids = profile.ids or Identity()
    return not (profile.first or profile.orders or ids.devices or ids.logins or ids.moved or ids.outgoing)
