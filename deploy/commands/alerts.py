"""`footfall alerts`: the reference retention consumer."""

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import OperatorError

if TYPE_CHECKING:
    from deploy.alerts.consume import Retention
    from deploy.alerts.wanted import Wanted
    from schemas.outputs import Alert
    from stream.settings import Settings

HELP = """Show alerts as they come, each decision once, or tell Footfall what came of one.

It reads as a member of a consumer group and goes on where the group stopped. Nothing is lost: a batch is committed
after it was shown, so what was shown in the very moment of a crash may be shown again. With --out each alert is in the
file once, whatever happens.

Examples:

  footfall alerts --follow

  footfall alerts --follow --kind churn_risk --kind vip_at_risk --severity high --language zh

  footfall alerts --format json | jq -r '[.customer, .action, .channel] | @csv'

  footfall alerts --follow --out alerts.jsonl --ack

  footfall alerts --effect

  footfall alerts --outcome converted 8c736e5b0e5d7f1a

  footfall alerts --outcome unsubscribed --customer u-1042 --channel email
"""
SHOWN = 12


class Format(StrEnum):
    """How alerts are printed."""

    TABLE = "table"
    JSON = "json"


class Language(StrEnum):
    """What the table's words are in."""

    EN = "en"
    ZH = "zh"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("alerts", help=HELP)(alerts)


def alerts(
    decisions: Annotated[list[str] | None, typer.Argument(metavar="[DECISION_ID]...", help="with --outcome")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="wait for more, until Ctrl-C")] = False,
    form: Annotated[Format, typer.Option("--format", help="a table, or a line of JSON each")] = Format.TABLE,
    kind: Annotated[list[str] | None, typer.Option(help="only this kind; may be given several times")] = None,
    severity: Annotated[list[str] | None, typer.Option(help="only low, medium or high; several times too")] = None,
    customer: Annotated[list[str] | None, typer.Option(help="only this customer; several times too")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="only what is still worth acting on")] = False,
    language: Annotated[Language, typer.Option(help="the table's words")] = Language.EN,
    group: Annotated[str, typer.Option(help="the consumer group; another one begins at the beginning")] = "",
    out: Annotated[Path | None, typer.Option(help="append to this file as well, each alert once")] = None,
    ack: Annotated[bool, typer.Option("--ack", help="tell `delivered` of each alert shown")] = False,
    outcome: Annotated[str | None, typer.Option(help="delivered, converted, unsubscribed, …: tell it and end")] = None,
    effect: Annotated[bool, typer.Option("--effect", help="what alerts change, against the held out, and end")] = False,
    channel: Annotated[str, typer.Option(help="with --outcome: the channel unsubscribed from")] = "",
) -> None:
    """Show alerts, or tell an outcome."""
    from rich.console import Console

    from deploy.alerts.wanted import Wanted
    from online.alerts import KINDS
    from stream.settings import Settings

    settings = Settings()
    if outcome is not None:
        told = _tell(settings, outcome, decisions or [], customer or [], channel)
        Console(stderr=True, highlight=False).print(f"Told {outcome} of {told}.")
        return
    if effect:
        _effect(settings, form)
        return
    if decisions:
        raise OperatorError("a decision is named to tell what came of it: give --outcome WHAT as well")
    _known("--kind", kind, KINDS)
    _known("--severity", severity, ("low", "medium", "high"))
    wanted = Wanted(frozenset(kind or ()), frozenset(severity or ()), frozenset(customer or ()), open_only)
    _watch(settings, group, wanted, form, language, out, follow=follow, ack=ack)


def _known(option: str, given: list[str] | None, names: Collection[str]) -> None:
    for one in given or ():
        if one not in names:
            raise OperatorError(f"{option} {one}: there are {', '.join(names)}")


def _tell(settings: "Settings", what: str, decisions: list[str], customers: list[str], channel: str) -> str:
    """Write the outcomes; what they are of, in words."""
    from deploy.alerts.consume import find
    from deploy.alerts.outcomes import Teller

    if not decisions and not customers:
        raise OperatorError("say of what: DECISION_ID, or --customer for what concerns no single decision")
    found = [find(settings, decision) for decision in decisions]
    teller = Teller(settings)
    for alert in found:
        teller.tell(alert.customer, what, alert.decision_id, channel or alert.channel)
    for customer in customers:
        teller.tell(customer, what, channel=channel)
    teller.flush()
    return ", ".join([*decisions, *customers])


def _effect(settings: "Settings", form: Format) -> None:
    """Each kind's effect, as a table or as one JSON object."""
    import orjson
    from rich.console import Console

    from deploy.alerts import effect
    from deploy.alerts.show import effects

    found = effect.read(settings)
    if form is Format.JSON:
        print(orjson.dumps(found).decode())
    else:
        Console().print(effects(found) if found else "Nothing was decided yet.")


def _watch(
    settings: "Settings",
    group: str,
    wanted: "Wanted",
    form: Format,
    language: Language,
    out: Path | None,
    *,
    follow: bool,
    ack: bool,
) -> None:
    """Show what is wanted, batch by batch; each is committed once it was shown, written and acknowledged."""
    from deploy.alerts.consume import GROUP, Retention
    from deploy.alerts.journal import Journal
    from deploy.alerts.outcomes import Teller
    from deploy.alerts.seen import Seen
    from deploy.commands.replay import interrupted

    seen = Seen()
    journal = Journal(out, seen) if out is not None else None
    teller = Teller(settings) if ack else None
    retention = Retention(settings, group or GROUP, seen)
    shown = 0
    try:
        with interrupted() as stop, _printer(form, language, live=follow) as show:
            for batch in retention.batches(follow=follow, stop=stop.is_set):
                now = int(time.time() * 1000)
                chosen = [alert for alert in batch if wanted(alert, now)]
                show(chosen)
                if journal is not None:
                    journal.write(chosen)
                if teller is not None:
                    teller.of(chosen, "delivered")
                    teller.flush()
                shown += len(chosen)
    except BrokenPipeError:
        # Whoever read this has had enough; what they did not take is not committed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        retention.close()
        if journal is not None:
            journal.close()
    _report(shown, retention)


def _report(shown: int, retention: "Retention") -> None:
    from rich.console import Console

    passed = [
        f"{count:,} {what}" for count, what in ((retention.repeats, "repeated"), (retention.unreadable, "unreadable"))
    ]
    Console(stderr=True, highlight=False).print(f"{shown:,} alerts; passed over: {', '.join(passed)}.")


@contextmanager
def _printer(form: Format, language: Language, *, live: bool) -> "Iterator[Callable[[list[Alert]], None]]":
    """A function that shows a batch: lines of JSON, a table of the newest, or where nobody follows one a batch."""
    from rich.console import Console
    from rich.live import Live

    from deploy.alerts.show import table, words
    from schemas.outputs import encode

    console = Console(highlight=False)
    if form is Format.JSON:

        def show(batch: "list[Alert]") -> None:
            sys.stdout.buffer.write(b"".join(encode(alert) + b"\n" for alert in batch))
            sys.stdout.buffer.flush()

        yield show
    elif live and console.is_terminal:
        newest: deque[Alert] = deque(maxlen=SHOWN)
        with Live(console=console, auto_refresh=False) as screen:

            def update(batch: "list[Alert]") -> None:
                newest.extend(batch)
                screen.update(table(list(newest), language, "alerts, newest last"), refresh=True)

            update([])
            yield update
    else:

        def tell(batch: "list[Alert]") -> None:
            if not live and batch:
                console.print(table(batch, language, "alerts"))
                return
            for alert in batch:
                console.print(f"{alert.kind} {alert.customer}: {words(alert, language)}", markup=False, soft_wrap=True)

        yield tell
