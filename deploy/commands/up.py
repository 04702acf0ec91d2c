"""`footfall up`: the whole local stack in one terminal, until Ctrl-C."""

import asyncio
from typing import Annotated

import typer

EXAMPLES = (
    "Examples:  footfall up  ·  footfall up --only kafka,profile  ·  "
    "FOOTFALL_KAFKA_BROKERS=broker:9092 footfall up  ·  FOOTFALL_KAFKA_PORT=19092 footfall up --json"
)


def register(app: typer.Typer) -> None:
    @app.command("up", epilog=EXAMPLES)
    def up(
        only: Annotated[str, typer.Option(help="Parts to run, separated by commas; default: all.")] = "",
        as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    ) -> None:
        """Start the local stack: Kafka, Triton, workers, collector, recommender, and Prometheus where it is installed.

        A part whose address is given (FOOTFALL_KAFKA_BROKERS, FOOTFALL_TRITON_URL) is checked and not started.
        Ctrl-C stops everything.
        """
        from deploy.local.report import reporter
        from deploy.local.supervisor import Stack
        from deploy.local.until import until_signalled
        from stream.settings import Settings

        say = reporter(as_json=as_json)

        async def run() -> None:
            names = [name.strip() for name in only.split(",") if name.strip()]
            async with Stack(Settings(), names or None, announce=say):
                say("footfall", "everything is ready; Ctrl-C stops it")
                await asyncio.Event().wait()

        asyncio.run(until_signalled(run(), lambda: say("footfall", "stopping")))
