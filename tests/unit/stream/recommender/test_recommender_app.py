"""The recommender over real HTTP, with an index that has learned a small shop."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from online.index import ItemIndex
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Interaction, Ordered, encode
from stream.recommender.app import Recommender
from stream.recommender.catalogue import Catalogue
from stream.recommender.items import Items

NOW = 200 * DAY_MS
AUTH = {"Authorization": "Basic " + base64.b64encode(b"key:").decode()}
Client = TestClient[Any, Any]


def touch(customer: str, item: str, behaviour: Behaviour = Behaviour.VIEW, day: float = 199) -> bytes:
    return encode(
        Interaction(customer=customer, session=round(day), item=item, behaviour=behaviour, at=round(day * DAY_MS))
    )


class Said:
    """A record of `interactions`."""

    def __init__(self, key: bytes | None, value: bytes | None, offset: int = 0) -> None:
        self._told = (key, value, offset)

    def key(self) -> bytes | None:
        return self._told[0]

    def value(self) -> bytes | None:
        return self._told[1]

    def offset(self) -> int:
        return self._told[2]

    def partition(self) -> int:
        return 0


class Offer(Said):
    """A record of `catalogue`; its offset is the time when it arrived."""

    def timestamp(self) -> tuple[int, int]:
        return 1, self.offset()


def learn(index: ItemIndex, key: bytes | None, value: bytes | None) -> None:
    items = Items()
    items.index = index
    items.accept(Said(key, value))


def shop() -> ItemIndex:
    """Whoever looks at a tent looks at a stove next; everybody looks at lamps; ann looked at a tent."""
    index = ItemIndex()
    for n in range(30):
        for item in ("tent", "stove"):
            learn(index, None, touch(f"b{n}", item))
    for n in range(200):
        learn(index, None, touch(f"c{n}", "lamp"))
    learn(index, b"ann", touch("ann", "tent"))
    return index


class Ready:
    """Whether the interactions are read."""

    now = True

    def __call__(self) -> bool:
        return self.now


@pytest.fixture
def index() -> ItemIndex:
    return shop()


@pytest.fixture
def ready() -> Ready:
    return Ready()


@pytest.fixture
def told() -> list[Interaction]:
    return []


@pytest.fixture
async def client(index: ItemIndex, ready: Ready, told: list[Interaction]) -> AsyncIterator[Client]:
    recommender = Recommender(
        lambda: index,
        ready,
        keys=frozenset({"key"}),
        origins=("https://shop.example",),
        now=lambda: NOW,
        tell=told.append,
    )
    async with TestClient(TestServer(recommender.app())) as found:
        yield found


async def ask(client: Client, customer: str, query: str = "") -> dict[str, Any]:
    async with client.get(f"/v1/recommendations/{customer}{query}", headers=AUTH) as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


async def test_a_known_customer_gets_what_goes_with_her_session(client: Client) -> None:
    found = await ask(client, "ann")
    assert (found["customer"], found["known"], found["at"]) == ("ann", True, NOW)
    first = found["items"][0]
    assert (first["item"], first["source"]) == ("stove", "together")
    assert first["words"] == "often chosen together with tent"


async def test_an_unknown_customer_gets_what_is_popular(client: Client) -> None:
    found = await ask(client, "no%2Fbody", "?k=2")
    assert (found["customer"], found["known"]) == ("no/body", False)
    assert (found["items"][0]["item"], found["items"][0]["source"]) == ("lamp", "trending")
    assert len(found["items"]) == 2


async def test_what_she_does_counts_at_once(client: Client, index: ItemIndex) -> None:
    learn(index, b"ann", touch("ann", "stove", Behaviour.CART_ADD))
    assert "stove" not in [i["item"] for i in (await ask(client, "ann"))["items"]]
    learn(index, b"ann", touch("ann", "stove", Behaviour.CART_REMOVE))
    assert "stove" in [i["item"] for i in (await ask(client, "ann"))["items"]]
    order = Interaction(
        customer="ann", session=199, item="", behaviour=Behaviour.ORDER, at=NOW, items=[Ordered("stove", "camping")]
    )
    learn(index, b"ann", encode(order))
    assert "stove" not in [i["item"] for i in (await ask(client, "ann"))["items"]]


async def test_the_list_that_was_answered_is_told_and_what_comes_of_it_is_learned(
    client: Client, index: ItemIndex, told: list[Interaction]
) -> None:
    found = await ask(client, "ann")
    (said,) = told
    assert said.shown is not None
    assert (said.customer, said.at, said.shown.decision_id) == ("ann", NOW, found["decision_id"])
    assert said.shown.items == [item["item"] for item in found["items"]]
    assert said.shown.sources == [item["source"] for item in found["items"]]
    assert (said.shown.lead, said.shown.propensity) == (found["lead"], found["propensity"])
    learn(index, b"ann", encode(said))
    learn(index, b"ann", touch("ann", "stove", day=200))
    assert (index.bandit.lists, index.bandit.successes) == (1, 1)


async def test_a_search_is_answered_with_what_others_chose(client: Client, index: ItemIndex) -> None:
    def searched(customer: str) -> bytes:
        return encode(
            Interaction(customer=customer, session=200, item="", behaviour=Behaviour.SEARCH, at=NOW, query="帐篷 灯")
        )

    for n in range(3):
        learn(index, None, searched(f"d{n}"))
        learn(index, None, touch(f"d{n}", "headlamp", day=200))
    learn(index, b"ann", searched("ann"))
    first = (await ask(client, "ann"))["items"][0]
    assert (first["item"], first["source"]) == ("headlamp", "searched")


async def test_what_is_sold_out_is_not_answered(client: Client, index: ItemIndex) -> None:
    catalogue = Catalogue(lambda: index, "USD")
    catalogue.accept(Offer(b"stove", b'{"product_id": "stove", "in_stock": false}', NOW))
    assert "stove" not in [i["item"] for i in (await ask(client, "ann"))["items"]]
    catalogue.accept(Offer(b"stove", b'{"product_id": "stove", "in_stock": true}', NOW + 1))
    assert (await ask(client, "ann"))["items"][0]["item"] == "stove"


async def test_an_erased_customer_is_unknown(client: Client, index: ItemIndex) -> None:
    learn(index, b"ann", None)
    assert (await ask(client, "ann"))["known"] is False


@pytest.mark.parametrize("k", ["0", "51", "x", "-1", ""])
async def test_a_wrong_number_is_refused_with_its_name(client: Client, k: str) -> None:
    async with client.get(f"/v1/recommendations/ann?k={k}", headers=AUTH) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["path"] == "k"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic " + base64.b64encode(b"other:").decode()}])
async def test_a_wrong_key_is_refused(client: Client, headers: dict[str, str]) -> None:
    async with client.get("/v1/recommendations/ann", headers=headers) as answer:
        assert answer.status == 401
        assert "Basic" in answer.headers["WWW-Authenticate"]


async def test_until_all_is_read_it_asks_for_patience(client: Client, ready: Ready) -> None:
    ready.now = False
    async with client.get("/v1/recommendations/ann", headers=AUTH) as answer:
        assert answer.status == 503
    async with client.get("/readyz") as answer:
        assert answer.status == 503
    ready.now = True
    async with client.get("/readyz") as answer:
        assert answer.status == 200


async def test_pages_of_the_shop_may_ask_and_others_not(client: Client) -> None:
    path = "/v1/recommendations/ann"
    async with client.options(path, headers={"Origin": "https://shop.example"}) as answer:
        assert answer.headers["Access-Control-Allow-Methods"] == "GET, OPTIONS"
        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    async with client.options(path, headers={"Origin": "https://other.example"}) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_requests_are_counted_and_customers_are_no_labels(client: Client) -> None:
    await ask(client, "ann")
    async with client.get("/metrics") as answer:
        text = await answer.text()
    assert 'footfall_recommender_requests_total{route="/v1/recommendations/{customer}",status="200"} 1.0' in text
    assert "ann" not in text.replace("channel", "")
