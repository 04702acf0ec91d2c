"""`footfall check parity`: does the engine say what the raw log says, for every feature?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.progress import Progress

    from deploy.parity.compare import Result
    from stream.settings import Settings

HELP = """Hold every feature of the engine against an oracle that reckons it anew from the raw log.

Exit code 1 if they differ. The log is replayed through the engine; at cut-off times spread over it each customer's features are compared: counts
exactly, everything else to a billionth. With --emitted it is the snapshots on the topic [b]features[/b] of a running
stack that are compared, each over the events that it says it was made of; the source must have been replayed to it.

Sources: [b]completejourney[/b], [b]taobao[/b] with its file, and [b]simulated[/b] (a small generated shop with clicks,
carts, reviews and refunds, with repeats and late events).

Examples:

  footfall check parity --source completejourney --json

  footfall check parity --source taobao UserBehavior.csv --cutoffs 5

  footfall check parity --source completejourney --emitted --all
"""


def parity(
    source: Annotated[str, typer.Option(help="completejourney, taobao or simulated")],
    path: Annotated[Path | None, typer.Argument(metavar="[PATH]", help="the file, for taobao")] = None,
    cutoffs: Annotated[int, typer.Option(min=1, help="how many cut-off times")] = 20,
    limit: Annotated[int | None, typer.Option(min=1, help="only the source's first events")] = None,
    emitted: Annotated[bool, typer.Option("--emitted", help="check the snapshots that a stack has emitted")] = False,
    everything: Annotated[bool, typer.Option("--all", help="with --emitted: all snapshots, not 2,000 of them")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the result as JSON, and no progress")] = False,
) -> None:
    """Check a source."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from stream.settings import Settings

    settings = Settings()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=as_json, transient=True) as progress:
        if emitted:
            result = _emitted(settings, source, path, everything, progress)
        else:
            result = _replayed(settings, source, path, limit, cutoffs, progress)
    console = Console()
    if as_json:
        console.print_json(data=result.as_dict())
    else:
        _report(console, result)
    if result.mismatches:
        raise typer.Exit(1)


def _replayed(
    settings: "Settings", source: str, path: Path | None, limit: int | None, cutoffs: int, progress: "Progress"
) -> "Result":
    from deploy.parity.check import check
    from deploy.parity.sources import open_log
    from stream.stages.profile import engine_config

    log = open_log(source, path, limit, settings.currency)
    task = progress.add_task(source, total=None)
    return check(
        log,
        cutoffs,
        engine_config(settings),
        lambda seen, total: progress.update(task, completed=seen, total=total),
    )


def _emitted(settings: "Settings", source: str, path: Path | None, everything: bool, progress: "Progress") -> "Result":
    from deploy.parity import topics
    from deploy.parity.emitted import SAMPLE, arrived, check_emitted, sample
    from deploy.parity.sources import PREFIXES, read_raw

    if source not in PREFIXES:
        raise OperatorError(f"--emitted --source {source}: there are {', '.join(PREFIXES)}, which can be replayed")
    events = read_raw(source, path, None, settings.currency)
    prefix = PREFIXES[source]

    def reading(what: str) -> "Callable[[int], None]":
        task = progress.add_task(f"reading {what}", total=None)
        return lambda number: progress.advance(task, number)

    # Snapshots first: whatever they are made of has then arrived.
    found = list(topics.snapshots(settings, prefix, reading("features")))
    if not found:
        raise OperatorError(f"no snapshot of {source} was emitted; first: footfall replay {source} --speed max")
    where = topics.arrivals(settings, prefix, reading("the log"))
    chosen = sample(found, None if everything else SAMPLE)
    return check_emitted(arrived(events, where), chosen, settings.currency, settings.session_gap_s * 1000)


def _report(console: "Console", result: "Result") -> None:
    from rich.table import Table

    told = result.as_dict()
    words = "{customers:,} customers, {features} features, {compared:,} values compared: {mismatches:,} mismatches"
    console.print(words.format(**told), style="red" if result.mismatches else "green")
    if result.mismatches:
        table = Table("feature", "mismatches", "customer", "as of", "engine", "oracle")
        for name, found in result.by_feature.items():
            table.add_row(name, f"{found['mismatches']:,}", *map(str, found["example"].values()))
        console.print(table)
