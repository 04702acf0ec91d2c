"""`footfall dlq`: what was refused and why, and back onto its topic once it is mended."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from schemas.errors import OperatorError, Reason

if TYPE_CHECKING:
    from rich.console import Console

    from stream.kafka.dead_letters import Letter
    from stream.mending import Edit, Mended
    from stream.settings import Settings

LIST_HELP = """Count the dead letters by reason and topic, and show the newest.

Examples:

  footfall dlq list

  footfall dlq list --reason missing_field --since 2h

  footfall dlq list --open --examples 1000 --json | jq -c '.letters[] | {letter, event}' > fixed.jsonl
"""
SHOW_HELP = """Explain one dead letter: what is wrong with it, where, what to do about it, and where it came from.

Examples:

  footfall dlq show 0:12

  footfall dlq show 0:12 --json
"""
REPLAY_HELP = """Send dead letters again to the topic they came from, mended, and remember that they were.

Without a mend an event is checked first, as the engine will check it, and refused where that would refuse it again.
What was replayed is not replayed a second time, and an event counts once also where a replay was interrupted.

--from-file has a line of JSON for every letter: {"letter": "0:12", "event": {...}}; `dlq list --json` writes them so.

Examples:

  footfall dlq replay 0:12 --set properties.price=9.99

  footfall dlq replay --reason no_customer --set userId=guest --dry-run

  footfall dlq replay --from-file fixed.jsonl

  footfall dlq replay --reason timestamp_ahead
"""
CHUNK = 200

ReasonOption = Annotated[Reason | None, typer.Option(help="only letters with this reason")]
SinceOption = Annotated[str | None, typer.Option(help="only letters since then: 30m, 2h, 7d, or a time")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON, and no progress")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Look after the events that were refused.", no_args_is_help=True)
    group.command("list", help=LIST_HELP)(list_letters)
    group.command("show", help=SHOW_HELP)(show)
    group.command("replay", help=REPLAY_HELP)(replay)
    app.add_typer(group, name="dlq")


def list_letters(
    reason: ReasonOption = None,
    since: SinceOption = None,
    only_open: Annotated[bool, typer.Option("--open", help="only letters not replayed yet")] = False,
    examples: Annotated[int, typer.Option(min=0, help="how many of the newest to show")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Count and show dead letters."""
    import orjson
    from rich.console import Console

    from deploy import letters as shown
    from stream.settings import Settings

    found = _select(Settings(), reason, since, quiet=as_json)
    found = [letter for letter in found if letter.replayed is None or not only_open]
    newest = found[len(found) - min(examples, len(found)) :][::-1]
    still_open = sum(letter.replayed is None for letter in found)
    if as_json:
        result = {
            "total": len(found),
            "open": still_open,
            "replayed": len(found) - still_open,
            "reasons": [count._asdict() for count in shown.counts(found)],
            "letters": [shown.as_json(letter) for letter in newest],
        }
        print(orjson.dumps(result).decode())
        return
    console = Console()
    if not found:
        console.print("No dead letters.")
        return
    console.print(f"{len(found):,} dead letters, {still_open:,} open.", highlight=False)
    _print_counts(console, found)
    if newest:
        _print_newest(console, newest)
        console.print("Explained: footfall dlq show LETTER", highlight=False)


def show(
    letter: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="the letter, as `dlq list` names it")],
    as_json: JsonOption = False,
) -> None:
    """Explain one dead letter."""
    import orjson
    from rich.console import Console
    from rich.text import Text

    from deploy import letters as shown
    from stream.kafka import dead_letters
    from stream.settings import Settings

    found = dead_letters.read_one(Settings(), shown.parse_place(letter))
    words, advice = shown.remedy(found.reason)
    if as_json:
        print(orjson.dumps({**shown.as_json(found), "words": words, "advice": advice}).decode())
        return
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(Text(f"{found.reason}: {words}", style="bold red"))
    console.print(f"  {advice}\n")
    origin = found.origin
    rows = {
        "field": found.path,
        "detail": found.detail,
        "came from": f"{origin.topic}, partition {origin.partition}, offset {origin.offset}",
        "arrived": f"{shown.when(found.arrived)} UTC",
        "refused": f"{shown.when(found.rejected)} UTC",
        "replay of": found.replay_of,
        "replayed": f"{shown.when(found.replayed)} UTC" if found.replayed is not None else "not yet",
        "size": f"{found.size:,} bytes" + (f", of which {len(found.value):,} were kept" if found.cut else ""),
    }
    for name, said in rows.items():
        if said:
            console.print(f"  {name:10} {said}")
    for part in (shown.pointed(found), shown.lines(found)):
        console.print("", *part, sep="\n")


def replay(
    letters: Annotated[list[str] | None, typer.Argument(metavar="[PARTITION:OFFSET]...", help="which ones")] = None,
    reason: ReasonOption = None,
    since: SinceOption = None,
    every: Annotated[bool, typer.Option("--all", help="every letter that is open")] = False,
    edits: Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="set a field first")] = None,
    from_file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="mended events, JSONL")] = None,
    force: Annotated[bool, typer.Option("--force", help="send also what is refused, or was replayed before")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be sent, and send nothing")] = False,
    as_json: JsonOption = False,
) -> None:
    """Send dead letters again."""
    import orjson
    from rich.console import Console

    from deploy.letters import parse_place
    from stream.mending import parse_edit, read_mended
    from stream.settings import Settings

    settings = Settings()
    events = read_mended(from_file) if from_file is not None else {}
    wanted = [parse_place(text) for text in [*(letters or ()), *events]]
    if not (wanted or reason or since or every):
        raise OperatorError("say which letters: PARTITION:OFFSET, --reason, --since, --from-file, or --all")
    found = _wanted(_select(settings, reason, since, quiet=as_json), wanted)
    before = [letter for letter in found if letter.replayed is not None]
    todo = [letter for letter in found if force or letter.replayed is None]
    mended = _mend(settings, todo, [parse_edit(text) for text in edits or ()], events)
    good = [one for one in mended if one.refused is None or (force and one.value is not None)]
    refused = [one for one in mended if one not in good]
    sent, stopped = (0, False) if dry_run else _send(settings, good, quiet=as_json)
    if as_json:
        result = {
            "sent": sent,
            "would_send": len(good) if dry_run else None,
            "replayed_before": len(before),
            "refused": [{"letter": str(one.letter.place), "why": str(one.refused)} for one in refused],
        }
        print(orjson.dumps(result).decode())
    else:
        _report(Console(highlight=False, markup=False, soft_wrap=True), good, refused, before, sent, dry_run, force)
    if stopped:
        raise typer.Exit(130)
    if refused:
        raise typer.Exit(1)


def _select(settings: "Settings", reason: Reason | None, since: str | None, *, quiet: bool) -> "list[Letter]":
    """The letters of a reason since a time, read with a progress bar where there are many."""
    from rich.progress import Progress, SpinnerColumn, TextColumn

    from deploy.letters import parse_since
    from stream.kafka import dead_letters

    begin = parse_since(since, int(time.time() * 1000)) if since is not None else 0
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,}"))
    with Progress(*columns, disable=quiet, transient=True) as progress:
        task = progress.add_task("reading dead letters", total=None)
        found = dead_letters.read(settings, lambda more: progress.advance(task, more))
    return [letter for letter in found if letter.rejected >= begin and reason in (None, letter.reason)]


def _wanted(found: "list[Letter]", wanted: list[Any]) -> "list[Letter]":
    """Those at the places named, in that order; all where none is named."""
    if not wanted:
        return found
    by_place = {letter.place: letter for letter in found}
    missing = [str(place) for place in wanted if place not in by_place]
    if missing:
        raise OperatorError(
            f"no such dead letter: {', '.join(missing)}; `footfall dlq list` shows those that there are"
        )
    return [by_place[place] for place in dict.fromkeys(wanted)]


def _mend(settings: "Settings", letters: "list[Letter]", edits: "list[Edit]", events: dict[str, Any]) -> "list[Mended]":
    from schemas.topics import CLICKSTREAM, ORDERS
    from stream.mending import mend

    inputs = {settings.topic(topic.name) for topic in (CLICKSTREAM, ORDERS)}
    for letter in letters:
        if letter.origin.topic not in inputs:
            raise OperatorError(
                f"{letter.place} came from {letter.origin.topic}, which is no input of this installation; "
                "is FOOTFALL_TOPIC_PREFIX the one it was written with?"
            )
    now, ahead = int(time.time() * 1000), settings.ahead_s * 1000
    return [mend(one, edits, events.get(str(one.place)), settings.currency, ahead, now) for one in letters]


def _send(settings: "Settings", mended: "list[Mended]", *, quiet: bool) -> tuple[int, bool]:
    """Send a chunk, wait for it, note it, go on; returns how many were sent, and whether Ctrl-C ended it early."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from deploy.commands.replay import interrupted
    from schemas.topics import DEAD_LETTERS
    from stream.kafka import dead_letters
    from stream.kafka.producer import Producer

    if not mended:
        return 0, False
    producer = Producer(settings.kafka_brokers, client="footfall-dlq", prefix=settings.topic_prefix)
    producer.connect((DEAD_LETTERS.name,))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    sent = 0
    with Progress(*columns, disable=quiet, transient=True) as progress, interrupted() as stop:
        task = progress.add_task("replaying", total=len(mended))
        while sent < len(mended) and not stop.is_set():
            chunk = mended[sent : sent + CHUNK]
            for one in chunk:
                topic = one.letter.origin.topic[len(settings.topic_prefix) :]
                headers = [(dead_letters.REPLAY, str(one.letter.place).encode())]
                producer.send(topic, one.key, one.value, headers=headers)
            producer.flush()
            for one in chunk:
                dead_letters.note(producer, one.letter, int(time.time() * 1000))
            producer.flush()
            sent += len(chunk)
            progress.update(task, completed=sent)
    return sent, sent < len(mended)


def _print_counts(console: "Console", found: "list[Letter]") -> None:
    from rich.table import Table

    from deploy.letters import counts, when

    table = Table("reason", "topic", "open", "replayed", "first (UTC)", "last (UTC)")
    for count in counts(found):
        numbers = (f"{count.open:,}", f"{count.replayed:,}")
        table.add_row(count.reason, count.topic, *numbers, when(count.first), when(count.last))
    console.print(table)


def _print_newest(console: "Console", newest: "list[Letter]") -> None:
    from rich.table import Table
    from rich.text import Text

    from deploy.letters import when

    table = Table("letter", "refused (UTC)", "reason", "field", "detail", "replayed", title="Newest")
    for letter in newest:
        replayed = "" if letter.replayed is None else when(letter.replayed)
        said = (str(letter.place), when(letter.rejected), letter.reason, letter.path, letter.detail[:120], replayed)
        table.add_row(*(Text(text) for text in said))
    console.print(table)


def _report(
    console: "Console",
    good: "list[Mended]",
    refused: "list[Mended]",
    before: "list[Letter]",
    sent: int,
    dry_run: bool,
    force: bool,
) -> None:
    for one in refused:
        console.print(f"{one.letter.place} is refused still: {one.refused}", style="red")
    if refused:
        console.print("Mend them with --set PATH=VALUE or --from-file, or send them as they are with --force.")
    if before and not force:
        console.print(f"{len(before):,} were replayed before; --force sends them again.")
    if dry_run:
        for one in good:
            key = "no key" if one.key is None else f"key {one.key.decode(errors='replace')}"
            console.print(f"{one.letter.place} -> {one.letter.origin.topic}, {key}, {len(one.value or b''):,} bytes")
        console.print(f"{len(good):,} would be sent.")
    elif sent < len(good):
        console.print(f"Stopped after {sent:,} of {len(good):,}; the same command goes on from there.")
    else:
        console.print(f"Sent {sent:,} again.")
