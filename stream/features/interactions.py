"""What an event tells whoever learns from behaviour: what was looked at, searched for and bought, in which session."""

from collections.abc import Iterator
from typing import Final

from schemas.behaviours import Behaviour
from schemas.event import Event
from schemas.outputs import Interaction, Ordered
from stream.features import derive
from stream.features.apply import ORDER_CHANGES
from stream.features.profile import Profile

QUERY_CHARACTERS: Final = 160  # of a search's words that are told
_ITEM_BEHAVIOURS: Final = frozenset(
    {Behaviour.CLICK, Behaviour.VIEW, Behaviour.CART_ADD, Behaviour.CART_REMOVE, Behaviour.WISHLIST, Behaviour.REVIEW}
)


def interactions(profile: Profile, event: Event, session_gap_ms: int, base: str) -> Iterator[Interaction]:
    """The interactions of an event that the profile holds: one for each item, one for an order or a search.

    Prices are told in the shop's currency `base` only, in minor units.
    """
    behaviour = event.behaviour
    if behaviour in ORDER_CHANGES:
        if behaviour != Behaviour.ORDER_UPDATE or event.amount is not None:
            yield of_order(profile, event, session_gap_ms)
    elif behaviour in _ITEM_BEHAVIOURS:
        session = derive.session_start(profile.story, event.at, session_gap_ms)
        priced = event.currency == base
        for line in event.lines:
            yield Interaction(
                customer=event.customer,
                session=session,
                item=line.item,
                behaviour=behaviour,
                at=event.at,
                category=line.category,
                brand=line.brand,
                price=line.price if priced else None,
                in_stock=line.in_stock,
            )
    elif behaviour is Behaviour.SEARCH and (query := event.text[:QUERY_CHARACTERS].strip()):
        session = derive.session_start(profile.story, event.at, session_gap_ms)
        yield Interaction(
            customer=event.customer, session=session, item="", behaviour=behaviour, at=event.at, query=query
        )


def of_order(profile: Profile, event: Event, session_gap_ms: int) -> Interaction:
    """What an order, or a change of one, tells; a change tells no items."""
    at, bought = event.at, event.behaviour == Behaviour.ORDER
    return Interaction(
        customer=event.customer,
        session=derive.session_start(profile.story, at, session_gap_ms) if bought else at,
        item="",
        behaviour=event.behaviour,
        at=at,
        order=event.order,
        items=[Ordered(line.item, line.category) for line in event.lines] if bought else [],
        event=event.message,
        amount=event.amount,
        currency=event.currency,
    )
