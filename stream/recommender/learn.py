"""From `interactions` to the item index: the same for whoever follows the topic."""

import msgspec

from online.index import ItemIndex
from schemas.outputs import Interaction

_interactions = msgspec.json.Decoder(Interaction)


def learn(index: ItemIndex, key: bytes | None, value: bytes | None) -> None:
    """One record of `interactions`; one without a value says that the customer who is its key is to be forgotten."""
    if value is None:
        index.forget((key or b"").decode())
    else:
        for interaction in _interactions.decode(value).each():
            index.learn_one(interaction)
