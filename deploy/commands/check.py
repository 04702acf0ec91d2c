"""`footfall check`: is every order that was sent in the profiles, once, to the cent? (`parity`: every feature?)"""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.parity import command as parity
from schemas.errors import OperatorError

if TYPE_CHECKING:
    from stream.settings import Settings

GROUP = "footfall-profile"
POLL_S = 0.5
HELP = """Compare the orders that a replay has sent with those in the profiles: their number, and revenue to the cent.

It waits until the profile stage has read all orders, then reads the profiles from Kafka. Exit code 1 if they differ.

Examples:

  footfall check orders --source completejourney

  footfall check orders --source completejourney --timeout 1800 --json
"""


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Hold what is stored against what was sent.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("orders", help=HELP)(orders)
    group.command("parity", help=parity.HELP)(parity.parity)
    app.add_typer(group, name="check")


def orders(
    source: Annotated[str, typer.Option(help="what was replayed; completejourney knows its own totals")],
    timeout: Annotated[float, typer.Option(min=0, help="seconds to wait for the profile stage")] = 900.0,
    as_json: Annotated[bool, typer.Option("--json", help="print the result as JSON, and no progress")] = False,
) -> None:
    """Check a replayed source."""
    from rich.console import Console

    from stream.settings import Settings
    from stream.sources import completejourney, position
    from stream.sources.audit import orders_in_profiles

    if source != completejourney.NAME:
        raise OperatorError(f"--source {source}: there is {completejourney.NAME}, whose totals are known")
    settings = Settings()
    console = Console()
    cluster = _cluster(settings)
    file = position.path_of(settings.data_dir, source)
    sent_to = 0
    # A replay may still be sending: what the profiles hold is compared with what was sent by then.
    while sent_to != (now := position.load(file, cluster, settings.topic_prefix)):
        sent_to = now
        drain(settings, timeout, quiet=as_json)
    if not sent_to:
        raise OperatorError(f"nothing of {source} was sent to this Kafka; first: footfall replay {source} --speed max")
    sent = completejourney.totals(sent_to)
    held = orders_in_profiles(settings, completejourney.CUSTOMER_PREFIX, completejourney.CURRENCY, lambda _: None)
    result = {
        "orders_sent": sent[0],
        "orders_in_profiles": held.number,
        "revenue_sent": sent[1] / 100,
        "revenue_in_profiles": held.revenue / 100,
    }
    agree = tuple(held) == sent
    if as_json:
        console.print_json(data=result)
    else:
        console.print(f"sent      {sent[0]:>10,} orders  {sent[1] / 100:>16,.2f} {completejourney.CURRENCY}")
        console.print(f"profiles  {held.number:>10,} orders  {held.revenue / 100:>16,.2f} {completejourney.CURRENCY}")
        console.print("[green]they agree[/]" if agree else "[red]they differ[/]")
    if not agree:
        raise typer.Exit(1)


def drain(settings: "Settings", timeout: float, *, quiet: bool) -> None:
    """Wait until the profile stage has committed every order. Raises `OperatorError` when it takes too long."""
    from rich.progress import Progress

    from stream.sources.audit import Lag

    lag = Lag(settings, GROUP, "orders")
    end = time.monotonic() + timeout
    try:
        with Progress(disable=quiet, transient=True) as progress:
            first = left = lag.read()
            task = progress.add_task("profile stage", total=first)
            while left:
                if time.monotonic() >= end:
                    raise OperatorError(
                        f"the profile stage has {left:,} orders to go after {timeout:g} s; is "
                        "`footfall worker profile` running? A larger --timeout waits longer"
                    )
                time.sleep(POLL_S)
                left = lag.read()
                progress.update(task, completed=max(0, first - left))
    finally:
        lag.close()


def _cluster(settings: "Settings") -> str:
    from stream.kafka.producer import Producer

    return Producer(settings.kafka_brokers, client="footfall-check", prefix=settings.topic_prefix).connect(("orders",))
