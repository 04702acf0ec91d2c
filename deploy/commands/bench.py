"""`footfall bench`: how fast, how soon, how small; every figure in the README comes from here."""

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rich.console import Console

PROFILE_HELP = """Keep profiles with Footfall, a plain Faust agent, Quix Streams; and the floor: consuming and parsing.

All run the same pure functions on the same events (a realistic mix, most of it by few customers), one process each on a
broker of its own, round after round in rotated order. A rate is records per second from the first record processed to
the commit of the last, with its state durable; starting counts for nobody. A ratio is Footfall's rate over the other's
in the same round; shown are medians. A contender whose profiles are wrong fails the command. The events lie on their
topics as if for two minutes: a log to catch up with. A plain Faust agent takes some two minutes a round.

Two modes: `state` keeps profiles only; `with_outputs` writes feature snapshots and interactions as well.

Examples:

  footfall bench profile

  footfall bench profile --json --mode both --rounds 5

  footfall bench profile --only footfall,quix --mode state --events 100000

  footfall bench profile --only footfall --mode state --rounds 1 --profile-to footfall.pstats
"""

LATENCY_HELP = """Open-loop load through Kafka, profile, score and Triton here: from event to alert and to score.

Events are sent at times fixed beforehand, and a latency counts from when its event was to be sent: a pipeline that
stalls delays nobody's clock (no coordinated omission). `p50_ms` to `p99_ms` are event to alert, under `score` event to
score. `bounded` says whether the snapshots that wait for scoring stayed as many as they were, `kept_up` whether that
took no scores without BERT, `fallbacks` how many there were and why.

Examples:

  footfall bench latency --rate 1000 --json

  footfall bench latency --rate 200 --seconds 60
"""
RECOVERY_HELP = """How fast a worker restores its profiles, and how soon another takes over after `kill -9`.

`profiles_per_s`: one worker, all partitions, from being given them until it is ready. `failover_s`: two workers under
load, one is killed; seconds until every partition it had gives output again (`failover_first_s`: the first of them).

Examples:

  footfall bench recovery --json

  footfall bench recovery --profiles 1000000
"""
MEMORY_HELP = """What a profile weighs: on the topic, and in a worker's memory before and after it was touched.

Customers as a shop has them (half came once or twice), and heavy ones: hundreds of events over a year.

Examples:

  footfall bench memory --json

  footfall bench memory --profiles 5000
"""
SCALE_HELP = """The profile stage with outputs by one, two and four workers on the same events.

The workers wait until each has its partitions and begin at once; the time ends when every event is committed.

Examples:

  footfall bench scale --json

  footfall bench scale --events 500000 --partitions 8 --rounds 3
"""
SERVE_HELP = """BERT on Triton as the pipeline asks it, against the textbook's loop, on stories of Complete Journey.

`footfall`: the project's client, calls of 32 from four partitions at once, int8, batches of like length. `textbook`:
fp32, batches of 16, each padded to 128 tokens, in one process. `dynamic_padding`: the same, padded to the batch's
longest. All cut stories at the model's own length, and run the same weights, whose fp32 is what the int8 file stands
for; they must answer alike. They take turns, round after round; shown are medians, and a ratio compares within a round.
The textbook runs in ONNX Runtime, in an environment of its own that is made once, or in torch with `--torch`;
`runtime` in the JSON says which. `p50_ms` and `p99_ms` are of one text at a time, `callers` of so many at once.

Examples:

  footfall bench serve --json

  footfall bench serve --torch .venv-train/bin/python

  footfall bench serve --device cuda
"""
ONLINE_HELP = """How fast the online learners predict and learn on one core, beside River's own models used directly.

`items`: how soon the item index answers and what it weighs, beside item-kNN of the package `implicit`; `http`: how soon
the recommender answers over HTTP under load.

`all` is what the pipeline does: a prediction of every target, and an example with metrics, weights and drift.

Examples:

  footfall bench online --json

  footfall bench online --examples 20000
"""

JsonOption = Annotated[bool, typer.Option("--json", help="print the result as JSON, and no progress")]
PartitionsOption = Annotated[int, typer.Option(min=1, help="partitions of every topic")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Measure the engine and the pipeline, on a broker of their own.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("profile", help=PROFILE_HELP)(profile)
    group.command("latency", help=LATENCY_HELP)(latency)
    group.command("recovery", help=RECOVERY_HELP)(recovery)
    group.command("memory", help=MEMORY_HELP)(memory)
    group.command("scale", help=SCALE_HELP)(scale)
    group.command("serve", help=SERVE_HELP)(serve)
    group.command("online", help=ONLINE_HELP)(online)
    app.add_typer(group, name="bench")


def profile(
    events: Annotated[int, typer.Option(min=100, help="how many events")] = 300_000,
    customers: Annotated[int, typer.Option(min=1, help="how many customers")] = 16_000,
    span_minutes: Annotated[float, typer.Option(min=1, help="event time that they span")] = 25.0,
    partitions: PartitionsOption = 4,
    rounds: Annotated[int, typer.Option(min=1, help="rounds of each mode")] = 3,
    only: Annotated[str, typer.Option(help="contenders, separated by commas; default: all")] = "",
    mode: Annotated[str, typer.Option(help="state, with_outputs, or both")] = "state",
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


def latency(
    rate: Annotated[float, typer.Option(min=1, help="events a second")] = 1_000.0,
    seconds: Annotated[float, typer.Option(min=1, help="how long to measure")] = 30.0,
    warm_up: Annotated[float, typer.Option(min=0, help="seconds of the same load before that")] = 10.0,
    partitions: PartitionsOption = 4,
    as_json: JsonOption = False,
) -> None:
    """Load the whole pipeline."""
    from rich.console import Console

    from deploy.bench.latency import latency as measure
    from stream.settings import Settings

    console = Console()

    async def work(announce: "Callable[[str, str], None]") -> Any:
        return await measure(Settings(), rate, seconds, warm_up, partitions, announce)

    _tell(_run(work, console, quiet=as_json), console, as_json=as_json)


def recovery(
    profiles: Annotated[int, typer.Option(min=1, help="how many profiles to restore")] = 200_000,
    partitions: PartitionsOption = 4,
    as_json: JsonOption = False,
) -> None:
    """Restore, and fail over."""
    from rich.console import Console

    from deploy.bench import show
    from deploy.bench.recovery import recovery as measure
    from stream.settings import Settings

    console = Console()

    async def work(announce: "Callable[[str, str], None]") -> Any:
        with show.filling(console, profiles, "profiles into Kafka", quiet=as_json) as sent:
            return await measure(Settings(), profiles, partitions, announce, sent)

    _tell(_run(work, console, quiet=as_json), console, as_json=as_json)


def memory(
    profiles: Annotated[int, typer.Option(min=10, help="how many customers to weigh")] = 2_000,
    as_json: JsonOption = False,
) -> None:
    """Weigh profiles."""
    from rich.console import Console

    from deploy.bench import show
    from deploy.bench.memory import HEAVY_CUSTOMERS, measure

    console = Console()
    with show.filling(console, profiles + HEAVY_CUSTOMERS, "profiles", quiet=as_json) as made:
        result = measure(profiles, made)
    _tell(result, console, as_json=as_json)


def scale(
    events: Annotated[int, typer.Option(min=100, help="how many events")] = 200_000,
    partitions: PartitionsOption = 4,
    rounds: Annotated[int, typer.Option(min=1, help="rounds")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Add workers."""
    from rich.console import Console

    from deploy.bench import show
    from deploy.bench.scale import scale as measure
    from stream.settings import Settings

    console = Console()

    async def work(announce: "Callable[[str, str], None]") -> Any:
        with show.filling(console, events, "events into Kafka", quiet=as_json) as sent:
            return await measure(Settings(), events, partitions, rounds, announce, sent)

    _tell(_run(work, console, quiet=as_json), console, as_json=as_json)


def serve(
    texts: Annotated[int, typer.Option(min=1, help="stories that each contender scores in a round")] = 256,
    events: Annotated[int, typer.Option(min=1000, help="baskets that the stories are made of")] = 40_000,
    rounds: Annotated[int, typer.Option(min=1, help="rounds")] = 5,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="where Triton runs BERT")] = "cpu",
    torch: Annotated[str, typer.Option(help="a Python with torch and transformers, to run the textbook in")] = "",
    as_json: JsonOption = False,
) -> None:
    """Contest with the textbook."""
    from rich.console import Console

    from deploy.bench import show
    from deploy.bench.serve import Plan, Watch
    from deploy.bench.serve import serve as measure
    from stream.settings import Settings

    console = Console()

    def turn(name: str, rate: float) -> None:
        if not as_json:
            console.print(f"[dim]{name:>16} {rate:>7,.1f} texts/s[/]", highlight=False)

    async def work(announce: "Callable[[str, str], None]") -> Any:
        with show.filling(console, events, "events for stories", quiet=as_json) as read:
            plan = Plan(texts=texts, events=events, rounds=rounds, device=device, torch=torch)
            return await measure(Settings(), plan, announce, Watch(read, turn))

    _tell(_run(work, console, quiet=as_json), console, as_json=as_json)


def online(
    examples: Annotated[int, typer.Option(min=100, help="how many examples each learner gets")] = 3_000,
    items: Annotated[int, typer.Option(min=1_000, help="how many items the index holds")] = 100_000,
    seed: Annotated[int, typer.Option(help="of the customers")] = 7,
    as_json: JsonOption = False,
) -> None:
    """Predict, learn and recommend."""
    from rich.console import Console

    from deploy.bench.online import measure
    from deploy.bench.online_items import items as recommend
    from deploy.bench.recommender import measure as answer
    from stream.settings import Settings

    console = Console()
    with console.status("learning") if not as_json else nullcontext() as status:

        def tell(name: str) -> None:
            if status:
                status.update(name)

        result = measure(examples, seed, tell)
        tell("recommending")
        result["items"] = recommend(items, 2 * items, cache=Settings().cache_dir, say=tell)
        tell("answering over HTTP")
        result["http"] = answer()
    _tell(result, console, as_json=as_json)


def _tell(result: dict[str, Any], console: "Console", *, as_json: bool) -> None:
    """The result as JSON, or line by line."""
    from deploy.bench import show

    if as_json:
        console.print_json(data=result)
    else:
        console.print(show.lines(result))


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
