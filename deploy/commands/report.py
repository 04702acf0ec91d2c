"""`footfall report`: one customer, for people to look at and for machines to read."""

from pathlib import Path
from typing import Annotated

import typer

HELP = """Report on one customer: who this is, scores over time and why, alerts and what came of them, orders, rhythm.

Read from the topics of a running installation, from the partitions where her ids live. Of a device whose behaviour
became a user's, the user is reported.

Examples:

  footfall report u-1

  footfall report u-1 --html --out u-1.html

  footfall report u-1 --json | jq .segment
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report", help=HELP)(report)


def report(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="the userId, or a device's anonymousId")],
    as_html: Annotated[bool, typer.Option("--html", help="write one page that needs nothing else")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the report as JSON")] = False,
    out: Annotated[Path | None, typer.Option(help="where to write the page; default: report-CUSTOMER.html")] = None,
    records: Annotated[int, typer.Option(min=1, help="how many of a log's newest records to look at")] = 200_000,
) -> None:
    """Report on one customer."""
    import msgspec
    from rich.console import Console

    from deploy.report.build import build
    from deploy.report.read import find
    from schemas.errors import OperatorError
    from stream.settings import Settings

    if as_html and as_json:
        raise OperatorError("choose one of --html and --json")
    if not customer:
        raise OperatorError("a customer's id is at least one character")
    settings = Settings()
    console = Console(stderr=True)
    with console.status("reading the topics"):
        found = build(settings, find(settings, customer, records))
    if as_json:
        print(msgspec.json.encode(found).decode())
    elif as_html or out is not None:
        from deploy.report.page import page

        path = out or Path(
            f"report-{''.join(c if c.isalnum() or c in '-_' else '_' for c in found.customer)[:80]}.html"
        )
        try:
            path.write_text(page(found), encoding="utf-8")
        except OSError as error:
            raise OperatorError(f"cannot write {path} ({error.strerror}): choose another place with --out") from error
        console.print(f"wrote {path}", markup=False, highlight=False)
    else:
        from deploy.report.terminal import show

        show(found, Console(highlight=False))
