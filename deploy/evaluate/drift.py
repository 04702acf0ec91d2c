"""`footfall evaluate --task drift`: the shift monitor on a real year, as it was, and with prices doubled from a day on.

Every snapshot that the engine takes is followed as live. A log that begins with a shop whose customers are all new is
one great shift: the first `SETTLING` days are told of apart. What is raised afterwards on the log as it was is either a
false alarm or something that did happen to the shop: each is listed with its day.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from deploy.evaluate.asked import Asked
from deploy.evaluate.replayed import snapshots
from online.shift import Shifts
from schemas.errors import OperatorError
from schemas.features import DAY_MS
from stream.features.engine import Config

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from schemas.event import Event

SETTLING: Final = 40
CHANGED: Final = 200
# What doubled prices move, as against what only counts.
OF_PRICES: Final = frozenset({"order_value_last", "order_value_mean", "spend_7d", "spend_30d", "spend_90d"})

Alarms = list[tuple[int, str]]


def measure(asked: Asked) -> dict[str, Any]:
    """Alarms by day: on the log as it was, and how many days after the change doubled prices were flagged."""
    if asked.source != "completejourney":
        raise OperatorError(f"--source {asked.source}: drift is measured on completejourney")
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=asked.quiet, transient=True) as progress:
        quiet, days = followed(asked, progress, "the year as it was", lambda event: event)
        doubled, _ = followed(asked, progress, "prices doubled", doubled_prices)
    before = set(quiet)
    new = [(day, feature) for day, feature in doubled if day >= CHANGED and (day, feature) not in before]
    flagged = [day for day, feature in new if feature in OF_PRICES]
    settled = [(day, feature) for day, feature in quiet if day >= SETTLING]
    return {
        "settling": {"days": SETTLING, "alarms": len(quiet) - len(settled)},
        "alarms": [{"day": day, "feature": feature} for day, feature in settled],
        "alarm_days": len({day for day, _ in settled}),
        "days": days - SETTLING,
        "prices_doubled": {
            "day": CHANGED,
            "flagged_after_days": min(flagged) - CHANGED if flagged else None,
            "features": sorted({feature for day, feature in new if day == min(flagged, default=-1)}),
        },
    }


def doubled_prices(event: "Event") -> "Event":
    """The event, had everything cost twice as much."""
    event.amount = None if event.amount is None else 2 * event.amount
    event.lines = tuple(replace(line, price=None if line.price is None else 2 * line.price) for line in event.lines)
    return event


def followed(asked: Asked, progress: "Progress", words: str, change: "Callable[[Event], Event]") -> tuple[Alarms, int]:
    """The monitor's alarms by day of the log, and its last day; events are as `change` makes them from `CHANGED` on."""
    shifts, alarms = Shifts(), []
    first = day = 0
    for snapshot in snapshots(_events(asked, progress, words, change), Config()):
        first = first or snapshot.at
        day = (snapshot.at - first) // DAY_MS
        alarms += [(day, shift.feature) for shift in shifts.learn_one(snapshot.features, snapshot.at) if shift.alarm]
    return alarms, day


def _events(asked: Asked, progress: "Progress", words: str, change: "Callable[[Event], Event]") -> "Iterator[Event]":
    from schemas.decode import decode
    from stream.sources import completejourney

    task = progress.add_task(words, total=asked.limit or completejourney.count())
    begin = 0
    for told in completejourney.events(asked.limit):
        progress.advance(task)
        event = decode(told.value, completejourney.CURRENCY)
        begin = begin or event.at
        yield change(event) if event.at >= begin + CHANGED * DAY_MS else event


def show(console: "Console", found: dict[str, Any]) -> None:
    """The days on which something was raised, and how soon the change was."""
    from rich.table import Table

    table = Table("day", "features that shifted", title="The year as it was")
    for day in sorted({one["day"] for one in found["alarms"]}):
        table.add_row(str(day), ", ".join(one["feature"] for one in found["alarms"] if one["day"] == day))
    console.print(table)
    settling, doubled = found["settling"], found["prices_doubled"]
    console.print(f"{settling['alarms']} alarms in the first {settling['days']} days, while everybody is new.")
    console.print(
        f"Prices doubled on day {doubled['day']}: flagged after {doubled['flagged_after_days']} days "
        f"({', '.join(doubled['features'])})."
    )
