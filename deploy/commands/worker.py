"""`footfall worker STAGE`: one stage as a process of its own."""

from enum import StrEnum
from typing import Annotated

import typer


class StageName(StrEnum):
    """The stages, in the order of the flow."""

    PROFILE = "profile"
    SCORE = "score"
    LABEL = "label"
    LEARN = "learn"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(worker)


def worker(
    stage: Annotated[StageName, typer.Argument(help="which stage to run")],
    metrics_port: Annotated[int | None, typer.Option(help="Prometheus port; default: one per stage")] = None,
    log_level: Annotated[str, typer.Option(help="DEBUG, INFO, WARNING or ERROR")] = "WARNING",
) -> None:
    """Run one stage until it is stopped; start it again for more workers of the same stage.

    Examples:

      footfall worker profile

      footfall worker score --metrics-port 9300
    """
    from stream.kafka.worker import run
    from stream.settings import Settings

    settings = Settings()
    port = metrics_port or settings.metrics_base_port + list(StageName).index(stage)
    run(stage.value, settings, port, log_level)
