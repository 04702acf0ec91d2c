"""Who may write: the write key as Basic user name, or as `writeKey` in the body, as Segment's SDKs send it."""

import base64
import binascii
import hmac
from collections.abc import Iterable
from typing import Any


def header_key(header: str | None) -> str | None:
    """The user name of an `Authorization: Basic` header.

    >>> header_key("Basic a2V5Og==")
    'key'
    """
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, _ = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user


def body_key(body: dict[str, Any]) -> str | None:
    """The body's `writeKey`."""
    key = body.get("writeKey")
    return key if isinstance(key, str) else None


def allowed(key: str | None, keys: Iterable[str]) -> bool:
    """Whether `key` is one of `keys`; the time it takes says nothing about how much of it is right."""
    given = (key or "").encode()
    return any(hmac.compare_digest(given, known.encode()) for known in keys)
