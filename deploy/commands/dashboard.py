"""`footfall dashboard`: the Grafana dashboard, written from its definition."""

import json
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Examples:  footfall dashboard  ·  footfall dashboard --out /etc/grafana/dashboards/f.json")(
        dashboard
    )


def dashboard(
    out: Annotated[Path | None, typer.Option(help="Where to; default: the provisioned file.")] = None,
) -> None:
    """Write the Grafana dashboard as JSON."""
    from deploy import dashboards

    path = out or dashboards.FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dashboards.dashboard(), indent=1) + "\n")
    typer.echo(f"wrote {path}")
