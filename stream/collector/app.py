"""The collector's routes: authenticate, read, check, deliver, answer."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import orjson
from aiohttp import web

from stream.collector import auth
from stream.collector.body import MAX_BODY, decompress, parse, too_large
from stream.collector.cors import Cors
from stream.collector.messages import Reader
from stream.collector.metrics import Metrics
from stream.collector.refusal import Refused
from stream.collector.sink import Behind, Sink, Unreachable
from stream.sources.event import SourceEvent

BODY_TIMEOUT_S: Final = 30.0
RETRY_AFTER_S: Final = 1
DRAIN_POLL_S: Final = 0.05

# Segment's server SDKs use the long names, its browser SDK the letters.
KINDS: Final = {
    "track": "track", "identify": "identify", "page": "page", "screen": "screen", "group": "group", "alias": "alias",
    "t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias",
}  # fmt: skip

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_log = logging.getLogger("footfall.collector")


class Collector:
    """Answers requests; `now` is epoch ms. It keeps nothing but its metrics."""

    def __init__(
        self,
        sink: Sink,
        reader: Reader,
        *,
        keys: frozenset[str],
        origins: tuple[str, ...] = ("*",),
        now: Callable[[], int],
    ) -> None:
        self._sink = sink
        self._reader = reader
        self._keys = keys
        self._cors = Cors(origins)
        self._now = now
        self._in_flight = 0
        self._draining = False
        self.metrics = Metrics()

    def app(self) -> web.Application:
        """The application; its runner must leave bodies compressed (`auto_decompress=False`)."""
        app = web.Application(middlewares=[self._observe], client_max_size=MAX_BODY)
        for path in ("/v1/batch", "/v1/b"):
            app.router.add_post(path, partial(self._collect, None))
        for name, kind in KINDS.items():
            app.router.add_post(f"/v1/{name}", partial(self._collect, kind))
        app.router.add_route("OPTIONS", "/v1/{name}", self._preflight)
        app.router.add_get("/healthz", self._alive)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/metrics", self._metrics)
        return app

    async def drain(self, timeout: float) -> None:
        """Return once every request that has begun is answered, its body awaited; each answer closes its connection.

        aiohttp's own shutdown drops a body that is still on its way.
        """
        self._draining = True
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while self._in_flight and loop.time() < end:
            await asyncio.sleep(DRAIN_POLL_S)

    @web.middleware
    async def _observe(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.perf_counter()
        route = _route(request)
        self._in_flight += 1
        try:
            response = await handler(request)
        except Refused as refused:
            self.metrics.rejected.labels(refused.reason).inc()
            response = _json(refused.status, refused.body())
            if refused.status == 401:
                response.headers["WWW-Authenticate"] = 'Basic realm="write key"'
            if refused.status in (429, 503):
                response.headers["Retry-After"] = str(RETRY_AFTER_S)
        except web.HTTPException as error:
            response = _json(error.status, Refused(error.status, "http", error.reason).body())
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
        except Exception:
            _log.exception("unexpected failure of %s", route)
            response = _json(500, Refused(500, "internal", "unexpected failure; see the collector's log").body())
        finally:
            self._in_flight -= 1
        if self._draining:
            response.force_close()
        self._cors.add(request.headers.get("Origin"), response.headers)
        self.metrics.requests.labels(route, str(response.status)).inc()
        self.metrics.seconds.labels(route).observe(time.perf_counter() - began)
        return response

    async def _collect(self, kind: str | None, request: web.Request) -> web.Response:
        data = decompress(await _read(request), request.headers.get("Content-Encoding", "").strip().lower())
        known = auth.allowed(auth.header_key(request.headers.get("Authorization")), self._keys)
        try:
            body = parse(data)
        except Refused:
            if known:
                raise
            body = {}
        if not known and not auth.allowed(auth.body_key(body), self._keys):
            raise Refused(401, "unauthorized", "give a write key as Basic user name, or as writeKey in the body")
        received = self._now()
        records = self._reader.batch(body, received) if kind is None else self._reader.one(body, kind, received)
        await self._deliver(records)
        return _json(200, {"success": True})

    async def _deliver(self, records: list[SourceEvent]) -> None:
        try:
            await self._sink.deliver(records)
        except Behind as error:
            raise Refused(429, "kafka_behind", f"{error}; try again") from None
        except Unreachable as error:
            raise Refused(503, "kafka_unreachable", f"{error}; try again") from None
        for record in records:
            self.metrics.events.labels(record.topic).inc()

    async def _preflight(self, request: web.Request) -> web.Response:
        return web.Response(status=204, headers=self._cors.preflight(request.headers.get("Origin")))

    async def _alive(self, _request: web.Request) -> web.Response:
        return _json(200, {"status": "ok"})

    async def _ready(self, _request: web.Request) -> web.Response:
        why = await self._sink.ready()
        return _json(503, {"status": why}) if why else _json(200, {"status": "ok"})

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=self.metrics.text(), content_type="text/plain", charset="utf-8")


async def _read(request: web.Request) -> bytes:
    if request.content_length is not None and request.content_length > MAX_BODY:
        raise too_large()
    data = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.content.iter_any():
                data += chunk
                if len(data) > MAX_BODY:
                    raise too_large()
    except TimeoutError:
        raise Refused(408, "slow_body", f"the body did not arrive within {BODY_TIMEOUT_S:g} s") from None
    return bytes(data)


def _route(request: web.Request) -> str:
    """The path for a metric's label: a known one, so that a scanner cannot make a label for each guess."""
    resource = request.match_info.route.resource
    return "other" if resource is None else resource.canonical


def _json(status: int, body: object) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")
