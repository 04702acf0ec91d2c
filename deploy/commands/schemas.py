"""`footfall schemas`: the contract as JSON Schemas and an AsyncAPI document."""

from pathlib import Path
from typing import Annotated

import typer

HELP = """Write the JSON Schema of every record and the AsyncAPI document, made from the types that decode and encode.

Examples:

  footfall schemas

  footfall schemas --out contract/

  footfall schemas --check
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("schemas", help=HELP)(write_schemas)


def write_schemas(
    out: Annotated[Path | None, typer.Option(help="the folder; default: the package's own")] = None,
    check: Annotated[bool, typer.Option("--check", help="write nothing; exit with 1 where the files differ")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the changed files as JSON")] = False,
) -> None:
    """Export the contract."""
    from rich.console import Console

    from schemas import export

    console = Console(soft_wrap=True)
    folder = out or export.FOLDER
    changed = export.drift(folder) if check else export.write(folder)
    if as_json:
        console.print_json(data=changed)
    elif changed:
        console.print(*(f"{'differs' if check else 'written'}: {folder / path}" for path in changed), sep="\n")
    else:
        console.print(f"{folder} is up to date")
    if check and changed:
        raise typer.Exit(1)
