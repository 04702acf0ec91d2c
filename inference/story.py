"""A customer's story: the text that BERT reads, the most telling numbers first and then what she did, newest first."""

import re
import unicodedata
from typing import Final

from inference.bins import Bins, value_of
from inference.rhythm import BOUGHT, rhythm
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS, HOUR_MS
from schemas.outputs import Features, Moment, Snapshot

MAX_MOMENTS: Final = 24
MAX_CATEGORY: Final = 48
MAX_WORDS: Final = 120
MAX_REVIEW: Final = 1000

# Brackets are for feature words only: what a customer types must never read as one.
_BRACKETS: Final = str.maketrans("[]", "()")
_SPACES: Final = re.compile(r"\s+")

VERBS: Final = {
    Behaviour.PAGE: "page",
    Behaviour.SEARCH: "searched",
    Behaviour.LIST_VIEW: "browsed",
    Behaviour.CLICK: "clicked",
    Behaviour.VIEW: "viewed",
    Behaviour.CART_ADD: "added to cart",
    Behaviour.CART_REMOVE: "removed from cart",
    Behaviour.CART_VIEW: "viewed cart",
    Behaviour.CHECKOUT: "checkout",
    Behaviour.PROMO_VIEW: "saw promotion",
    Behaviour.PROMO_CLICK: "clicked promotion",
    Behaviour.COUPON: "coupon",
    Behaviour.WISHLIST: "wished",
    Behaviour.REVIEW: "reviewed",
    Behaviour.ORDER: BOUGHT,
    Behaviour.ORDER_UPDATE: "changed order",
    Behaviour.CANCEL: "cancelled",
    Behaviour.REFUND: "refunded",
    Behaviour.IDENTIFY: "signed in",
    Behaviour.OTHER: "other",
}


def render(snapshot: Snapshot, bins: Bins) -> str:
    """The story of one snapshot: one feature word per feature of `bins`, then a clause per behaviour, newest first.

    Newest first, so that cutting the text at a number of tokens drops what is oldest. Never raises, whatever the
    storefront sent; at most a few thousand characters.
    """
    return with_numbers(told(snapshot), snapshot.features, bins)


def with_numbers(words: str, features: Features, bins: Bins) -> str:
    """A story's words after one feature word per number of `bins`: a feature, a ratio of two, or of the story's own."""
    known = {**features, **rhythm(words)}
    return f"{' '.join(bins.token(name, value_of(known, name)) for name in bins.edges)} {words}".strip()


def told(snapshot: Snapshot, most: int = MAX_MOMENTS) -> str:
    """One clause per behaviour, newest first, of the `most` newest."""
    newest = snapshot.story[-most:] if most else []
    return ", ".join(clause(moment, snapshot.at) for moment in reversed(newest))


def clause(moment: Moment, now: int) -> str:
    """One behaviour in words: how long ago, what, of which category, for how much.

    >>> clause(Moment(0, Behaviour.ORDER, category="SOFT DRINKS", amount=12.4, pieces=3), 3 * DAY_MS)
    '3d bought 3 soft drinks 12'
    """
    words = [ago(now - moment.at), VERBS.get(moment.behaviour, "other")]
    if moment.pieces > 1:
        words.append(str(moment.pieces))
    words.append(clean(moment.category or ("" if moment.words else moment.item), MAX_CATEGORY))
    # An order's own words only list further categories: a longer past tells more than a fuller basket.
    if not (moment.behaviour == Behaviour.ORDER and moment.category):
        words.append(clean(moment.words, MAX_WORDS))
    if moment.amount is not None:
        words.append(f"{moment.amount:.0f}")
    return " ".join(word for word in words if word)


_AGO: Final = r"(?:now|\d+[hd])"
_WRITTEN: Final = re.compile(
    rf"\b({_AGO} (?:{VERBS[Behaviour.SEARCH]}|{VERBS[Behaviour.REVIEW]}))\b.*?"
    rf"(?=, {_AGO} (?:{'|'.join(VERBS.values())})\b|$)"
)


_NUMBERS: Final = re.compile(r"^(?:\[[^\]]*\] ?)*")


def review(text: str) -> str:
    """What BERT reads of a review, in training and live: its own words, cleaned, at most `MAX_REVIEW` characters.

    >>> review("Broke after\\n2 days [sad]")
    'broke after 2 days (sad)'
    """
    return clean(text, MAX_REVIEW)


def without_numbers(story: str) -> str:
    """A rendered story without its feature words.

    >>> without_numbers("[overdue=3] [orders_30d=none] 3d bought soft drinks 12")
    '3d bought soft drinks 12'
    """
    return _NUMBERS.sub("", story)


def without_words(story: str) -> str:
    """A rendered story without what the customer wrote: searches and reviews are there, their words are not.

    >>> without_words("[a=1] now searched blue, cheap shoes, 3d bought soft drinks 12, 4d reviewed ham awful 1")
    '[a=1] now searched, 3d bought soft drinks 12, 4d reviewed'
    """
    return _WRITTEN.sub(r"\1", story)


def ago(milliseconds: int) -> str:
    """How long ago in one short word: minutes are `now`, then hours, then days.

    >>> ago(5), ago(5 * HOUR_MS), ago(40 * DAY_MS)
    ('now', '5h', '40d')
    """
    if milliseconds < HOUR_MS:
        return "now"
    if milliseconds < DAY_MS:
        return f"{milliseconds // HOUR_MS}h"
    return f"{milliseconds // DAY_MS}d"


def clean(text: str, limit: int) -> str:
    """At most `limit` characters of a text in lower case, without control characters, brackets and runs of spaces.

    >>> clean("Blue\\x00  [overdue=3]\\n shoes", 48)
    'blue (overdue=3) shoes'
    """
    text = text[: 2 * limit].translate(_BRACKETS)
    # Cc, Cf, Cs, Co, Cn: controls, invisible formats, lone surrogates (which no encoder takes), unassigned.
    text = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in text)
    return _SPACES.sub(" ", text).strip()[:limit].lower().strip()
