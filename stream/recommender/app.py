"""The recommender's routes: authenticate, look the customer up, rank, answer."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

import orjson
from aiohttp import web
from prometheus_client import generate_latest

from online.index import ItemIndex
from online.recommend.recommend import answer
from online.recommend.shoppers import Shopper
from online.recommend.visit import of_shopper
from schemas.outputs import Interaction, make_id
from stream.collector import auth
from stream.collector.cors import Cors
from stream.collector.refusal import Refused
from stream.recommender.metrics import Metrics

MOST: Final = 50
USUAL: Final = 10

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Recommender:
    """Answers out of the `index` of now; `ready` says whether it has read all interactions, `now` is epoch ms.

    A share `explore` of the lists is led by a source drawn by lot. `tell` hears of every list that was answered.
    """

    def __init__(
        self,
        index: Callable[[], ItemIndex],
        ready: Callable[[], bool],
        *,
        keys: frozenset[str],
        origins: tuple[str, ...] = ("*",),
        now: Callable[[], int],
        explore: float = 0.0,
        tell: Callable[[Interaction], None] | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._index = index
        self._is_ready = ready
        self._keys = keys
        self._cors = Cors(origins, "GET, OPTIONS")
        self._now = now
        self._explore = explore
        self._tell = tell
        self.metrics = metrics or Metrics()

    def app(self) -> web.Application:
        """The application."""
        app = web.Application(middlewares=[self._observe])
        app.router.add_get("/v1/recommendations/{customer}", self._recommend)
        app.router.add_route("OPTIONS", "/v1/recommendations/{customer}", self._preflight)
        app.router.add_get("/healthz", self._alive)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/metrics", self._page)
        return app

    @web.middleware
    async def _observe(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.perf_counter()
        try:
            response = await handler(request)
        except Refused as refused:
            response = _json(refused.status, refused.body())
            if refused.status == 401:
                response.headers["WWW-Authenticate"] = 'Basic realm="write key"'
        except web.HTTPException as error:
            response = _json(error.status, Refused(error.status, "http", error.reason).body())
        self._cors.add(request.headers.get("Origin"), response.headers)
        resource = request.match_info.route.resource
        route = "other" if resource is None else resource.canonical
        self.metrics.requests.labels(route, str(response.status)).inc()
        self.metrics.seconds.labels(route).observe(time.perf_counter() - began)
        return response

    async def _recommend(self, request: web.Request) -> web.Response:
        if not auth.allowed(auth.header_key(request.headers.get("Authorization")), self._keys):
            raise Refused(401, "unauthorized", "give a write key as Basic user name")
        if not self._is_ready():
            raise Refused(503, "starting", "the interactions are still being read; try again")
        customer = request.match_info["customer"]
        count = _count(request.query.get("k", str(USUAL)))
        now = self._now()
        index = self._index()
        decision = make_id(customer, "asked", now)
        shopper = index.shoppers.find(customer)
        shown = answer(of_shopper(shopper or Shopper(), now), index, decision, count, self._explore)
        items = [{"item": r.item, "score": r.score, "source": r.source, "words": r.words} for r in shown.items]
        for r in shown.items:
            self.metrics.items.labels(r.source).inc()
        if self._tell is not None and shown.items:
            self._tell(shown.told(decision, customer, now))
        known = shopper is not None
        told = {"decision_id": decision, "customer": customer, "known": known, "at": now, "items": items}
        return _json(200, told | {"lead": shown.lead, "propensity": shown.propensity})

    async def _preflight(self, request: web.Request) -> web.Response:
        return web.Response(status=204, headers=self._cors.preflight(request.headers.get("Origin")))

    async def _alive(self, _request: web.Request) -> web.Response:
        return _json(200, {"status": "ok"})

    async def _ready(self, _request: web.Request) -> web.Response:
        return _json(200, {"status": "ok"}) if self._is_ready() else _json(503, {"status": "reading interactions"})

    async def _page(self, _request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self.metrics.registry), content_type="text/plain", charset="utf-8")


def _count(given: str) -> int:
    try:
        count = int(given)
    except ValueError:
        count = 0
    if not 1 <= count <= MOST:
        raise Refused(400, "wrong_value", f"`k` is a number from 1 to {MOST}", "k")
    return count


def _json(status: int, body: object) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")
