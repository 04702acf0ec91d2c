"""`footfall features`: what the numbers mean that every prediction is made from."""

from typing import Annotated

import typer

HELP = """Print the feature registry: each feature's name, unit, window and meaning.

Examples:

  footfall features

  footfall features --json
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("features", help=HELP)(features)


def features(as_json: Annotated[bool, typer.Option("--json", help="print one JSON array")] = False) -> None:
    """Print the registry."""
    import dataclasses
    import json

    from rich.console import Console
    from rich.table import Table

    from schemas.features import FEATURES

    if as_json:
        print(json.dumps([dataclasses.asdict(feature) for feature in FEATURES]))
        return
    table = Table("name", "unit", "window", "meaning", title=f"{len(FEATURES)} features")
    for feature in FEATURES:
        table.add_row(feature.name, feature.unit, feature.window, feature.meaning)
    Console().print(table)
