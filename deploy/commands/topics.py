"""`footfall topics`: what the topics carry, which of them exist, and their creation."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from schemas.topics import Topic

EXAMPLES = "Examples:  footfall topics  ·  footfall topics --create  ·  footfall topics --json"


def _kept(topic: "Topic") -> str:
    """How long a topic's records stay."""
    days = f"{topic.retention_ms // 86_400_000} days"
    return (f"newest of a key, {days}" if topic.expires else "newest of a key") if topic.compact else days


def register(app: typer.Typer) -> None:
    @app.command("topics", epilog=EXAMPLES)
    def topics(
        create: Annotated[bool, typer.Option("--create", help="Create those that are missing.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
    ) -> None:
        """List Footfall's topics on the cluster, or create them."""
        from rich.console import Console
        from rich.table import Table

        from schemas.topics import TOPICS
        from stream.kafka.admin import create_topics, existing_topics
        from stream.settings import Settings

        settings = Settings()
        created = set(create_topics(settings)) if create else set()
        counts = existing_topics(settings)
        rows = [
            {
                "topic": (name := settings.topic(topic.name)),
                "partitions": counts.get(name),
                "state": "created" if name in created else "exists" if name in counts else "missing",
                "kept": _kept(topic),
                "key": topic.key,
                "carries": topic.carries,
            }
            for topic in TOPICS
        ]
        if as_json:
            print(json.dumps(rows))
            return
        table = Table(*rows[0], title=f"Topics on {settings.kafka_brokers}")
        for row in rows:
            table.add_row(*("" if value is None else str(value) for value in row.values()))
        Console().print(table)
