"""What the recommender knows of a customer now, in the form that recommendations are made from."""

from online.index import ItemIndex
from schemas.behaviours import Behaviour
from schemas.outputs import Moment, Snapshot


def context(customer: str, index: ItemIndex, now: int, decision: str = "") -> Snapshot:
    """A customer's session, cart and purchases as of `now` (epoch ms), as far as the index remembers them."""
    return Snapshot(
        id=decision,
        customer=customer,
        at=now,
        trigger="asked",
        arrived=now,
        features={},
        story=[Moment(now, Behaviour.VIEW, item) for item in index.session(customer)],
        cart=index.cart(customer),
        owned=list(index.bought(customer)),
    )
