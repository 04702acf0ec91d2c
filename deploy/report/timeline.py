"""What she did and what was said to her, in one line of time; and when she usually comes."""

from deploy.report.report import Line
from schemas.behaviours import Behaviour as B
from schemas.money import exponent, to_major
from schemas.outputs import Alert, Interaction, Outcome
from schemas.topics import DAY_MS
from stream.features.profile import Profile

LINES = 80
VERBS: dict[int, tuple[str, str]] = {
    B.SEARCH: ("browse", "searched"),
    B.CLICK: ("browse", "clicked"),
    B.VIEW: ("browse", "viewed"),
    B.CART_ADD: ("cart", "put into the cart"),
    B.CART_REMOVE: ("cart", "took out of the cart"),
    B.CART_VIEW: ("cart", "looked at the cart"),
    B.CHECKOUT: ("cart", "started a checkout"),
    B.PROMO_VIEW: ("browse", "saw a promotion"),
    B.PROMO_CLICK: ("browse", "clicked a promotion"),
    B.COUPON: ("cart", "applied a coupon"),
    B.WISHLIST: ("browse", "wished for"),
    B.REVIEW: ("review", "reviewed"),
    B.ORDER: ("order", "ordered"),
    B.ORDER_UPDATE: ("order", "order changed"),
    B.CANCEL: ("back", "cancelled"),
    B.REFUND: ("back", "was refunded"),
}
_WITHOUT_ITEM = frozenset({B.SEARCH, B.CART_VIEW, B.CHECKOUT, B.COUPON, B.PROMO_VIEW, B.PROMO_CLICK, B.ORDER, B.CANCEL})


def lines(
    profile: Profile,
    interactions: list[Interaction],
    alerts: list[Alert],
    outcomes: list[Outcome],
    currency: str,
) -> list[Line]:
    """The newest `LINES` lines, newest first."""
    found = [*_did(profile, interactions, currency), *_signed_in(profile)]
    found += [Line(alert.at, "alert", f"alert: {alert.kind.replace('_', ' ')}", alert.text) for alert in alerts]
    kinds = {alert.decision_id: alert.kind.replace("_", " ") for alert in alerts}
    found += [
        Line(one.at, "alert", one.what, " · ".join(filter(None, (kinds.get(one.decision_id, ""), one.channel))))
        for one in outcomes
    ]
    found.sort(key=lambda line: -line.at)
    return found[:LINES]


def rhythm(profile: Profile, interactions: list[Interaction]) -> list[list[int]]:
    """Behaviours by weekday and hour (UTC): all that the logs and the story still tell."""
    found = [[0] * 24 for _ in range(7)]
    times = {(one.at, int(one.behaviour)) for one in interactions if one.behaviour in VERBS}
    times |= {(moment.at, moment.behaviour) for moment in profile.story}
    for at, _ in times:
        found[(at // DAY_MS + 3) % 7][at // 3_600_000 % 24] += 1
    return found


def _did(profile: Profile, interactions: list[Interaction], currency: str) -> list[Line]:
    story = {(moment.at, moment.behaviour) for moment in profile.story}
    found = []
    for moment in profile.story:
        kind, verb = VERBS.get(moment.behaviour, ("browse", "did something"))
        what = [verb]
        if moment.behaviour not in _WITHOUT_ITEM and moment.item:
            what.append(moment.item)
        detail = [moment.words, moment.category if moment.category != moment.words else "", moment.brand]
        if moment.pieces > 1:
            detail.append(f"{moment.pieces} pieces")
        if moment.amount:
            detail.append(_money(moment.amount, currency))
        found.append(Line(moment.at, kind, " ".join(what), " · ".join(filter(None, detail))))
    once = {(one.at, one.behaviour, one.order or one.item): one for one in interactions}
    for one in once.values():
        if one.behaviour in VERBS and (one.at, int(one.behaviour)) not in story:
            kind, verb = VERBS[one.behaviour]
            items = [line.item for line in one.items] or [one.item]
            amount = "" if one.amount is None else _money(one.amount, one.currency or currency)
            found.append(Line(one.at, kind, f"{verb} {', '.join(items)}".strip(), amount or one.category or one.query))
    return found


def _signed_in(profile: Profile) -> list[Line]:
    ids = profile.ids
    if ids is None:
        return []
    found = [
        Line(device.linked, "login", f"signed in on {name}", "what it did before became hers" * (device.taken >= 0))
        for name, device in ids.devices.items()
        if device.linked
    ]
    return found + [Line(at, "login", f"{user} signed in on this device") for at, user in ids.logins]


def _money(minor: int, currency: str) -> str:
    return f"{to_major(minor, currency):,.{exponent(currency)}f} {currency}"
