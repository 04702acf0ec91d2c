"""A request's body: bounded before and after decompression, so that neither size nor a zip bomb takes memory."""

import zlib
from typing import Any, Final

import orjson

from schemas.errors import Reason
from stream.collector.refusal import Refused

MAX_BODY: Final = 500 * 1024
_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32


def too_large() -> Refused:
    """The refusal of a body above the bound."""
    return Refused(413, Reason.TOO_LARGE, f"a body has at most {MAX_BODY} bytes, decompressed; send smaller batches")


def decompress(data: bytes, encoding: str) -> bytes:
    """The body itself; `encoding` is Content-Encoding. Raises `Refused`: 400, 413 or 415."""
    if encoding in ("", "identity"):
        return data
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Refused(415, "bad_encoding", f"Content-Encoding {encoding[:32]!r}; there are gzip, deflate and none")
    out = bytearray()
    while data:
        stream = zlib.decompressobj(_GZIP_OR_ZLIB)
        try:
            out += stream.decompress(data, MAX_BODY + 1 - len(out))
        except zlib.error as error:
            raise Refused(400, "bad_encoding", f"the body is not {encoding}: {error}") from None
        if len(out) > MAX_BODY:
            raise too_large()
        if not stream.eof:
            raise Refused(400, "bad_encoding", f"the body is not whole {encoding}")
        data = stream.unused_data
    return bytes(out)


def parse(data: bytes) -> dict[str, Any]:
    """The body's JSON object. Raises `Refused`."""
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        try:
            data.decode()
        except UnicodeDecodeError:
            raise Refused(400, Reason.NOT_UTF8, "the bytes are not UTF-8") from None
        raise Refused(400, Reason.NOT_JSON, str(error)) from None
    if not isinstance(body, dict):
        raise Refused(400, Reason.WRONG_TYPE, "the body is a JSON object")
    return body
