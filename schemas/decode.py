"""From bytes on a topic to an `Event`, or a `Rejected` that says why not and where.

In two passes: the envelope, then the properties by the event's name. In one, typed by the name, it takes longer: the
name stands anywhere in the message and has to be found first.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from schemas.behaviours import Behaviour
from schemas.errors import Reason, Rejected
from schemas.event import Event
from schemas.events import EVENTS, Envelope
from schemas.fill import FILL
from schemas.hashing import message_key
from schemas.times import parse_time
from schemas.topics import MAX_EVENT_BYTES

_envelope = msgspec.json.Decoder(Envelope)
_properties = {spec.properties: msgspec.json.Decoder(spec.properties) for spec in EVENTS.values()}
# For each known event what it means, how its properties are read, and how they come into an `Event`.
_KNOWN: dict[str, tuple[Behaviour, Callable[[msgspec.Raw], Any], Callable[[Event, Any], None]]] = {
    name: (spec.behaviour, _properties[spec.properties].decode, FILL[spec.properties]) for name, spec in EVENTS.items()
}
_TYPES = {"identify": Behaviour.IDENTIFY, "page": Behaviour.PAGE}


def decode(raw: bytes | None, currency: str) -> Event:
    """The event that `raw` says; `currency` is assumed where it names none. Raises `Rejected`."""
    if not raw:
        raise Rejected(Reason.EMPTY, "the message has no value")
    if len(raw) > MAX_EVENT_BYTES:
        raise Rejected(Reason.TOO_LARGE, f"{len(raw)} bytes; an event has at most {MAX_EVENT_BYTES}")
    try:
        envelope = _envelope.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise explain(error, raw) from None
    if envelope.type != "track":
        return _event(envelope, raw, currency, _TYPES.get(envelope.type, Behaviour.OTHER))
    name = envelope.event
    if name is None:
        raise Rejected(Reason.MISSING_FIELD, "a track message names its event", "$.event")
    known = _KNOWN.get(name)
    if known is None:
        return _event(envelope, raw, currency, Behaviour.OTHER)
    behaviour, read, fill = known
    event = _event(envelope, raw, currency, behaviour)
    try:
        properties = read(envelope.properties)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise explain(error, bytes(envelope.properties), "$.properties") from None
    fill(event, properties)
    return event


def _event(envelope: Envelope, raw: bytes, currency: str, behaviour: Behaviour) -> Event:
    """What every message says; its bytes are hashed where it has no messageId."""
    user, anonymous, context = envelope.userId, envelope.anonymousId, envelope.context
    if user is None and anonymous is None:
        raise Rejected(Reason.NO_CUSTOMER, "neither userId nor anonymousId is set")
    device = channel = ""
    if context is not None:
        if context.device is not None and context.device.type:
            device = context.device.type.lower()[:32]
        campaign = context.campaign
        if campaign is not None:
            channel = (campaign.medium or campaign.source or "").lower()[:32]
    # By position, in the order of the fields: by name it takes twice as long.
    return Event(
        behaviour,
        parse_time(envelope.timestamp),
        str(anonymous if user is None else user),
        message_key(envelope.messageId or raw),
        user is not None,
        "" if user is None or anonymous is None else str(anonymous),
        currency,
        device,
        channel,
    )


def explain(error: Exception, raw: bytes, prefix: str = "$") -> Rejected:
    """The `Rejected` for what the decoder refused, with the JSON path of the field."""
    message = str(error)
    if isinstance(error, UnicodeDecodeError) or not _is_utf8(raw):
        return Rejected(Reason.NOT_UTF8, "the bytes are not UTF-8")
    if not isinstance(error, msgspec.ValidationError):
        return Rejected(Reason.NOT_JSON, message)
    detail, _, path = message.partition(" - at `")
    path = prefix + path.rstrip("`").removeprefix("$")
    if detail.startswith("Object missing required field"):
        name = detail.split("`")[1]
        return Rejected(Reason.MISSING_FIELD, f"`{name}` is required", f"{path}.{name}")
    reason = Reason.WRONG_TYPE if ", got " in detail else Reason.BAD_VALUE
    return Rejected(reason, detail, path)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
