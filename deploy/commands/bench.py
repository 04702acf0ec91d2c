"""`footfall bench`: how fast, how soon, how small; every figure in the README comes from here."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rich.console import Console

PROFILE_HELP = """Keep profiles with Footfall, a plain Faust agent, Quix Streams; and the floor: consuming and parsing.

All run the same pure functions on the same events (a realistic mix, most of it by few customers), one process each on a
broker of its own, round after round in rotated order. A rate is records per second from the first record processed to
the commit of the last, with its state durable; starting counts for nobody. A ratio is Footfall's rate over the other's
in the same round; shown are medians. A contender whose profiles are wrong fails the command. Slow contenders get the
beginning of the events (`events` in the JSON says how many).

Two modes: `state` keeps profiles only; `with_outputs` writes feature snapshots and interactions as well.

Examples:

  footfall bench profile

  footfall bench profile --json --rounds 5

  footfall bench profile --only footfall,quix --mode state --events 100000

  footfall bench profile --only footfall --mode state --rounds 1 --profile-to footfall.pstats
"""

JsonOption = Annotated[bool, typer.Option("--json", help="print the result as JSON, and no progress")]
PartitionsOption = Annotated[int, typer.Option(min=1, help="partitions of every topic")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Measure the engine and the pipeline, on a broker of their own.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("profile", help=PROFILE_HELP)(profile)
    app.add_typer(group, name="bench")


def profile(
    events: Annotated[int, typer.Option(min=100, help="how many events")] = 300_000,
    short_events: Annotated[int, typer.Option(min=100, help="how many of them the slow contenders get")] = 10_000,
    customers: Annotated[int, typer.Option(min=1, help="how many customers")] = 16_000,
    span_minutes: Annotated[float, typer.Option(min=1, help="event time that they span")] = 25.0,
    partitions: PartitionsOption = 4,
    rounds: Annotated[int, typer.Option(min=1, help="rounds of each mode")] = 3,
    only: Annotated[str, typer.Option(help="contenders, separated by commas; default: all")] = "",
    mode: Annotated[str, typer.Option(help="state, with_outputs, or both")] = "both",
    profile_to: Annotated[str, typer.Option(help="write cProfile statistics of Footfall's worker to this file")] = "",
    as_json: JsonOption = False,
) -> None:
    """Run the contest."""
    from pathlib import Path

    from rich.console import Console

    from deploy.bench import show
    from deploy.bench.contest import MODES, Plan, contest, summary
    from schemas.errors import OperatorError
    from stream.settings import Settings

    if mode not in (*MODES, "both"):
        raise OperatorError(f"--mode {mode}: there are {', '.join(MODES)} and both")
    plan = Plan(
        names=tuple(name.strip() for name in only.split(",") if name.strip()) or Plan().names,
        rounds=rounds,
        total=events,
        short=short_events,
        customers=customers,
        span_s=round(span_minutes * 60),
        partitions=partitions,
        modes=tuple(MODES) if mode == "both" else (mode,),
        profile_to=str(Path(profile_to).resolve()) if profile_to else "",
    )
    console = Console()

    async def work(announce: "Callable[[str, str], None]") -> Any:
        with show.contest_progress(console, plan, quiet=as_json) as watcher:
            return await contest(Settings(), plan, announce, watcher)

    result = summary(plan, _run(work, console, quiet=as_json))
    if as_json:
        console.print_json(data=result)
    else:
        console.print(show.contest_table(result))


def _run(work: "Callable[[Callable[[str, str], None]], Awaitable[Any]]", console: "Console", *, quiet: bool) -> Any:
    """Run a benchmark until it is done; Ctrl-C ends what it has started, and the command with code 130."""
    import asyncio

    from deploy.local.until import until_signalled

    results: list[Any] = []

    def announce(name: str, line: str) -> None:
        if not quiet:
            console.print(f"[dim]{name}  {line}[/]", highlight=False)

    async def whole() -> None:
        results.append(await work(announce))

    if asyncio.run(until_signalled(whole())):
        raise typer.Exit(130)
    return results[0]
