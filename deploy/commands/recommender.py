"""`footfall recommender`: recommendations over HTTP, for the storefront."""

import typer

HELP = """Answer a storefront's question what to show a customer now.

GET /v1/recommendations/CUSTOMER?k=10, with the write key as Basic user name, as the collector takes it. The answer has
`items`, best first, each with `item`, `score`, `source` and `words`; `known` says whether the customer is: others get
what is popular. GET /healthz, /readyz (503 until all interactions are read) and /metrics.

What is sold out is in no answer until it is back. Product events say so (`in_stock`, `availability`,
`inventory_quantity`), or the shop itself on the topic `catalogue`, keyed by the item, whether anybody looks or not:
{"product_id": "sku-1", "in_stock": false, "category": "Tea", "brand": "Low Mill", "price": 9.5}. A record without a
value takes an item out for good. Every answer is told on `interactions`: a list that something is chosen from within
a day teaches which sources are worth what to whom.

Start as many as are needed: each follows all interactions by itself.

Examples:

  footfall recommender

  curl -u dev-write-key: 'http://127.0.0.1:8081/v1/recommendations/u-1?k=5'
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("recommender", help=HELP)(recommender)


def recommender() -> None:
    """Serve until interrupted."""
    import asyncio

    from rich.console import Console

    from stream.recommender.serve import serve
    from stream.settings import Settings

    console = Console()
    asyncio.run(serve(Settings(), lambda address: console.print(f"recommender listens on {address}")))
