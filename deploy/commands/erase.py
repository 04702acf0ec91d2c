"""`footfall erase` and `footfall anonymise`: a customer is forgotten everywhere, and a receipt says where."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import OperatorError

if TYPE_CHECKING:
    from rich.console import Console

    from deploy.erase.receipt import Place, Receipt

ERASE_HELP = """Forget a customer: profile, decisions, predictions, examples, dead letters, training sets.

The workers do their part whether this command is there or not. It waits for them, removes what no worker owns, looks
through every topic, and leaves a receipt under FOOTFALL_DATA_DIR/receipts. What the logs still hold, the receipt says
for each, with the day on which it is gone. What she does from now on begins a new profile. Twice does no harm.

Examples:

  footfall erase u-1

  footfall erase u-1 --yes --json > receipt.json

  footfall erase u-1 --verify .footfall/receipts/0f3a9c5e12b4d678.json
"""
ANONYMISE_HELP = """Let a customer's profile go on under a name by chance, and forget her otherwise as `erase` does.

Sums over all profiles stay what they were. Words that she wrote (searches, reviews) are removed; so are her devices,
and the ids of her messages and orders. The alias is not in the receipt.

Examples:

  footfall anonymise u-1

  footfall anonymise u-1 --yes --json
"""

CustomerArgument = Annotated[str, typer.Argument(metavar="CUSTOMER", help="the userId, or a device's anonymousId")]
YesOption = Annotated[bool, typer.Option("--yes", help="do not ask")]
WaitOption = Annotated[float, typer.Option(min=0, help="seconds to wait for the workers")]
JsonOption = Annotated[bool, typer.Option("--json", help="print the receipt as JSON, and no progress")]


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("erase", help=ERASE_HELP)(erase)
    app.command("anonymise", help=ANONYMISE_HELP)(anonymise)


def erase(
    customer: CustomerArgument,
    yes: YesOption = False,
    wait: WaitOption = 60.0,
    verify: Annotated[Path | None, typer.Option(help="look again for what this receipt is about")] = None,
    as_json: JsonOption = False,
) -> None:
    """Erase a customer."""
    if verify is not None:
        _verify(customer, verify, as_json)
    else:
        _run(customer, None, yes, wait, as_json)


def anonymise(
    customer: CustomerArgument, yes: YesOption = False, wait: WaitOption = 60.0, as_json: JsonOption = False
) -> None:
    """Anonymise a customer."""
    import secrets

    _run(customer, f"anon-{secrets.token_hex(8)}", yes, wait, as_json)


def _run(customer: str, alias: str | None, yes: bool, wait: float, as_json: bool) -> None:
    import msgspec

    from deploy.erase.run import Erasure
    from stream.settings import Settings

    if not customer:
        raise OperatorError("a customer's id is at least one character")
    if not yes:
        if not sys.stdin.isatty():
            raise OperatorError("this cannot be undone: give --yes where nobody can be asked")
        done = "erased" if alias is None else "anonymised"
        typer.confirm(f"{customer} will be {done} everywhere; this cannot be undone. Go on?", abort=True)
    settings = Settings()
    with _telling(quiet=as_json) as told:
        receipt, path = Erasure(settings, customer, alias, wait, told).run()
    if as_json:
        print(msgspec.json.encode(receipt).decode())
    else:
        _print_receipt(receipt, path)
    if receipt.waiting_for:
        raise OperatorError(
            f"the {receipt.waiting_for} stage has not done its part within {wait:g} s; is `footfall worker "
            f"{receipt.waiting_for}` running? It was asked, and will when it runs: then give the same command again"
        )


def _verify(customer: str, path: Path, as_json: bool) -> None:
    import msgspec
    from rich.console import Console

    from deploy.erase import receipt
    from deploy.erase.run import verify
    from stream.settings import Settings

    said = receipt.read(path, customer)
    with _telling(quiet=as_json) as told:
        places = verify(Settings(), customer, told)
    live = sum(place.live for place in places)
    if as_json:
        print(msgspec.json.encode({"request": said.request, "live": live, "places": places}).decode())
        return
    console = Console(highlight=False)
    _print_places(console, [place for place in places if place.live or place.remaining], removed=False)
    if live:
        console.print(f"{live:,} records are in use: she has been there since, or a stage has not done its part.")
    else:
        console.print("Nothing of hers is in use.")


@contextmanager
def _telling(*, quiet: bool) -> "Iterator[Callable[[str], None]]":
    """A line that says what goes on."""
    from rich.console import Console

    with Console(stderr=True, quiet=quiet).status("erasing") as status:
        yield status.update


def _print_receipt(receipt: "Receipt", path: Path) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    _print_places(console, receipt.places, removed=True)
    folders = ", ".join(receipt.folders) or "none"
    console.print(f"Folders looked through: {folders}.", f"Request {receipt.request}, asked {receipt.asked}.", sep="\n")
    console.print(f"Receipt: {path}", soft_wrap=True)


def _print_places(console: "Console", places: "list[Place]", *, removed: bool) -> None:
    from rich.table import Table

    table = Table("place", *(["removed"] if removed else []), "in use", "in the log", "until", box=None)
    for place in places:
        figures = [place.removed] if removed else []
        row = [f"{figure:,}" for figure in (*figures, place.live, place.remaining)]
        table.add_row(place.place, *row, place.until or "")
    console.print(table)
