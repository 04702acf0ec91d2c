"""`footfall collector`: the HTTP door for storefronts."""

import typer

HELP = """Take events over HTTP as Segment's SDKs send them, and put them into Kafka.

POST /v1/batch, /v1/track, /v1/identify, /v1/page (and the browser SDK's /v1/t, /v1/i, /v1/p, /v1/b), with the write
key as Basic user name. GET /healthz, /readyz and /metrics. It answers 200 once Kafka has acknowledged every message.

Examples:

  footfall collector

  FOOTFALL_COLLECTOR_PORT=9000 FOOTFALL_WRITE_KEYS=shop-a,shop-b footfall collector
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("collector", help=HELP)(collector)


def collector() -> None:
    """Serve until interrupted."""
    import asyncio

    from rich.console import Console

    from stream.collector.serve import serve
    from stream.settings import Settings

    console = Console()
    asyncio.run(serve(Settings(), lambda address: console.print(f"collector listens on {address}")))
