"""`footfall replay`: real events into the running stack, as fast as history or much faster."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import OperatorError

if TYPE_CHECKING:
    from stream.settings import Settings
    from stream.sources.catalogue import Source

SAVE_EVERY_S = 1.0
HELP = """Send a log of real events to Kafka, in time order, and go on where an earlier replay stopped.

WHAT is [b]completejourney[/b] (a year of 155,848 grocery baskets), [b]taobao[/b] (views, carts, favourites and
purchases in Alibaba's UserBehavior layout, with its file), or a shop's own log of Segment events as JSON Lines.

Examples:

  footfall replay completejourney --speed max
  footfall replay taobao UserBehavior.csv --speed 3600
  footfall replay events.jsonl.gz --limit 10000
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay", help=HELP)(replay)


def parse_speed(text: str) -> float | None:
    """Seconds of event time per second; None for `max`. Raises `OperatorError`."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise OperatorError(f"--speed {text}: give seconds of event time per second, such as 3600, or max")
    return speed


@contextmanager
def interrupted() -> Iterator[threading.Event]:
    """An event that Ctrl-C (or SIGTERM) sets, instead of raising wherever the program happens to be."""
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: stop.set())
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def replay(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="completejourney, taobao, or FILE.jsonl[.gz]")],
    path: Annotated[Path | None, typer.Argument(metavar="[PATH]", help="the file, for taobao")] = None,
    speed: Annotated[str, typer.Option(help="seconds of event time per second, or max")] = "max",
    limit: Annotated[int | None, typer.Option(min=1, help="send at most so many events now")] = None,
    restart: Annotated[bool, typer.Option("--restart", help="begin at the first event again")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the result as JSON, and no progress")] = False,
) -> None:
    """Replay a source."""
    from rich.console import Console

    from stream.settings import Settings
    from stream.sources.catalogue import open_source

    pace = parse_speed(speed)
    source = open_source(what, path)
    result, stopped = run(Settings(), source, pace, limit, restart, quiet=as_json)
    console = Console()
    if as_json:
        console.print_json(data=result)
    elif stopped:
        console.print(
            f"Stopped after {result['position']:,} of {result['events']:,} events. "
            "The same command goes on from there; --restart begins anew."
        )
    elif not result["sent"]:
        console.print(f"All {result['events']:,} events were sent before; --restart sends them again.")
    else:
        console.print(f"Sent {result['sent']:,} events in {result['seconds']:.1f} s; position {result['position']:,}.")
    if stopped:
        raise typer.Exit(130)


def run(
    settings: "Settings", source: "Source", speed: float | None, limit: int | None, restart: bool, *, quiet: bool
) -> tuple[dict[str, float], bool]:
    """Send; returns the figures and whether Ctrl-C stopped it."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from stream.kafka.producer import DeliveryFailed, Producer
    from stream.sources import position
    from stream.sources.pace import Pace
    from stream.sources.replay import Replay

    producer = Producer(settings.kafka_brokers, client="footfall-replay", prefix=settings.topic_prefix)
    cluster = producer.connect(("clickstream", "orders"))
    file = position.path_of(settings.data_dir, source.name)
    start = 0 if restart else position.load(file, cluster, settings.topic_prefix)
    total = source.count()
    end = total if limit is None else min(total, start + limit)
    job = Replay(producer, Pace(speed, time.monotonic), start)
    began = saved = time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, disable=quiet) as progress:
        task = progress.add_task(source.name, total=total, completed=start, rate=0.0)

        def tick(now: bool = False) -> None:
            nonlocal saved
            moment = time.monotonic()
            if now or moment - saved >= SAVE_EVERY_S:
                saved = moment
                position.save(file, cluster, settings.topic_prefix, job.position)
                rate = (job.position - start) / max(moment - began, 0.001)
                progress.update(task, completed=job.position, rate=rate)

        try:
            with interrupted() as stop:
                job.run(source.events(end, start), tick, stop.is_set)
        except DeliveryFailed as error:
            raise OperatorError(f"{error}; see that Kafka is well, and give the same command to go on") from error
        finally:
            tick(now=True)
    seconds = time.monotonic() - began
    figures = {"events": total, "sent": job.sent, "position": job.position, "seconds": round(seconds, 3)}
    return figures, stop.is_set()
