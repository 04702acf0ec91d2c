"""`footfall simulate`: the seeded storefront alone, into whatever stack is running."""

from typing import Annotated

import typer

HELP = """Send the events of a simulated storefront: 60 days of history within about a minute, then on in real time.

Examples:

  footfall simulate

  footfall simulate --seed 3 --seconds 120 --broken 0.01 --json
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate", help=HELP)(simulate)


def simulate(
    seed: Annotated[int, typer.Option(help="the same seed gives the same customers")] = 7,
    customers: Annotated[int, typer.Option(min=1, help="how many customers there are")] = 250,
    fast_seconds: Annotated[float, typer.Option(min=0.1, help="real seconds for the 60 days of history")] = 70.0,
    seconds: Annotated[float | None, typer.Option(help="stop after so many seconds; default: at Ctrl-C")] = None,
    broken: Annotated[float, typer.Option(min=0, max=1, help="share of broken events to add")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="print the counts as JSON, and no progress")] = False,
) -> None:
    """Drive the storefront in a thread and show its counts."""
    import threading
    import time
    from concurrent.futures import ThreadPoolExecutor, wait

    from rich.console import Console

    from deploy.simulate.pace import LEAD, Driver
    from deploy.simulate.storefront import CUSTOMERS, Storefront
    from stream.kafka.producer import Producer
    from stream.settings import Settings

    settings = Settings()
    producer = Producer(
        settings.kafka_brokers, client="footfall-simulate", prefix=settings.topic_prefix, in_flight=LEAD
    )
    producer.connect(("clickstream", "orders"))
    driver = Driver(
        Storefront(seed, customers=customers or CUSTOMERS), producer, seed=seed, fast_s=fast_seconds, broken=broken
    )
    console = Console()
    stop = threading.Event()
    end = None if seconds is None else time.monotonic() + seconds
    with ThreadPoolExecutor(1) as pool, console.status("storefront opens", spinner="dots") as status:
        task = pool.submit(driver.run, stop)
        try:
            while not task.done() and (end is None or time.monotonic() < end):
                wait([task], timeout=0.5)
                if not as_json:
                    moment = time.strftime("%Y-%m-%d %H:%M", time.gmtime(driver.at / 1000))
                    status.update(f"{moment}  {driver.sent:,} events  {'live' if driver.live else 'history'}")
        except KeyboardInterrupt:
            pass
        finally:
            stop.set()
        task.result()
    counts = {"sent": driver.sent, "broken": {reason.value: n for reason, n in driver.broken.items()}}
    if as_json:
        console.print_json(data=counts)
    else:
        console.print(f"Sent {driver.sent:,} events and {driver.broken.total():,} broken ones.")
