"""What a benchmark shows on a terminal: bars while it runs, a table at the end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.bench.contest import MODES, Plan, Watcher


@contextmanager
def contest_progress(console: Console, plan: Plan, *, quiet: bool) -> Iterator[Watcher]:
    """Two bars: events sent, turns taken; each turn's rate is printed above them."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        filling = progress.add_task("events into Kafka", total=plan.total)
        turns = progress.add_task("turns", total=plan.turns, start=False)

        def turn(what: str) -> None:
            progress.start_task(turns)
            progress.update(turns, description=what)

        def done(name: str, rate: float) -> None:
            progress.update(turns, advance=1)
            if not quiet:
                console.print(f"[dim]{name:>12} {rate:>9,.0f} events/s[/]", highlight=False)

        yield Watcher(lambda count: progress.update(filling, advance=count), turn, done)


def contest_table(result: dict[str, Any]) -> Table:
    """Rates and ratios, a row a contender, three columns a mode."""
    modes = {result["mode"]: result} | {mode: result[mode] for mode in MODES if mode in result}
    mix = result["mix"]
    table = Table(
        title=f"{mix['distinct']:,} events of {mix['customers']:,} customers, {mix['mean_bytes']} bytes each, "
        f"{result['partitions']} partitions; medians of {result['rounds']} rounds; the core is {result['core']}"
    )
    table.add_column("")
    for mode in modes:
        table.add_column(f"{mode}\nevents/s", justify="right")
        table.add_column("footfall is", justify="right")
        table.add_column("CPU µs\nan event", justify="right")
    for name in result["events_per_s"]:
        row = [name]
        for found in modes.values():
            ratio = found.get("ratio", {}).get(name)
            row += [f"{found['events_per_s'][name]:,}", "" if ratio is None else f"{ratio:.2f} times"]
            row.append(f"{found['cpu_us_per_event'][name]:.1f}")
        table.add_row(*row)
    return table


@contextmanager
def filling(console: Console, total: int, what: str, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """One bar, for what a benchmark makes before it measures."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.update(task, advance=count)


def lines(result: dict[str, Any]) -> Table:
    """A result's figures, one a line; those within others behind a dot."""
    table = Table(show_header=False, box=None)
    for name, value in _flat(result):
        table.add_row(
            name, f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
        )
    return table


def _flat(result: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in result.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value
