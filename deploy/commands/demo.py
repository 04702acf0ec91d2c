"""`footfall demo`: everything at once, with a storefront that never was."""

from typing import Annotated

import typer

EXAMPLES = (
    "Examples:  footfall demo  ·  footfall demo --seconds 120 --json  ·  footfall demo --broken 0.01 --seconds 120  ·  "
    "footfall demo --seed 3 --customers 200"
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", epilog=EXAMPLES)(demo)


def demo(
    seconds: Annotated[float | None, typer.Option(min=1, help="End after so long; default: at Ctrl-C.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same shop.")] = 7,
    customers: Annotated[int, typer.Option(min=1, help="How many customers the shop has.")] = 250,
    fast_seconds: Annotated[float, typer.Option(min=1, help="Real seconds for the 60 days of history.")] = 70.0,
    broken: Annotated[float, typer.Option(min=0, max=1, help="Share of broken events to add.")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON and nothing else.")] = False,
) -> None:
    """Start the stack and a simulated shop: 60 days of history in about a minute, then on live.

    On a terminal the view stays until Ctrl-C; without one it needs --seconds. Everything lies under .footfall/demo.
    """
    import asyncio
    import contextlib
    import json
    import signal
    import sys
    from collections.abc import Iterator

    from rich.console import Console
    from rich.live import Live

    from deploy.demo.run import demo_settings, run
    from deploy.demo.view import View, alert_lines, recommendation_line
    from deploy.demo.watch import Watch
    from deploy.local.report import reporter
    from deploy.simulate.pace import Driver
    from schemas.errors import OperatorError
    from stream.settings import Settings

    console = Console(stderr=as_json)
    if seconds is None and not sys.stdout.isatty():
        raise OperatorError("without a terminal the demo must know when to end: add --seconds 120")
    say = reporter(as_json=False) if not as_json else (lambda _name, _line: None)
    live: list[Live] = []
    last: list[Watch] = []

    def show(watch: Watch, driver: Driver) -> None:
        last[:] = [watch]
        if not live and console.is_terminal and not as_json:
            live.append(Live(View(watch, driver), console=console, screen=True, refresh_per_second=2))
            live[0].start()

    @contextlib.contextmanager
    def stops(stop: asyncio.Event) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def whole() -> dict[str, object]:
        stop = asyncio.Event()
        with stops(stop):
            return await run(
                demo_settings(Settings()),
                seconds=seconds,
                seed=seed,
                customers=customers,
                fast_seconds=fast_seconds,
                broken=broken,
                announce=say,
                show=show,
                stop=stop,
            )

    try:
        found = asyncio.run(whole())
    finally:
        for view in live:
            view.stop()
    if as_json:
        print(json.dumps(found))
        return
    for watch in last:
        console.print(*map(alert_lines, list(watch.alerts)[-5:]), sep="\n")
        console.print(*map(recommendation_line, list(watch.recommendations)[-3:]), sep="\n")
    console.print_json(json.dumps(found))
