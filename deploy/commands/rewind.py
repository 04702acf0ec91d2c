"""`footfall rewind`: have the profile stage read its inputs from their beginning."""

import json
from typing import Annotated

import typer

EXAMPLES = "Examples:  footfall rewind  ·  footfall rewind --json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLES)(rewind)


def rewind(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Have the profile stage read its inputs from their beginning; its workers must be stopped.

    What the profiles still hold is skipped; what they have lost is made anew of what the inputs still have. Snapshots
    are emitted again with the ids that they had.
    """
    from stream.kafka.groups import rewind as rewind_group
    from stream.kafka.stage import group_id
    from stream.settings import Settings

    settings = Settings()
    topics = rewind_group(settings.kafka_brokers, group_id(settings, "profile"))
    if as_json:
        print(json.dumps({"topics": topics}))
    else:
        typer.echo(
            f"Once started, profile reads {', '.join(topics)} from the beginning." if topics else "Nothing was read."
        )
