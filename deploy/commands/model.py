"""`footfall model`: versions of BERT, from a trained folder to the one that serves, and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from deploy.models.versions import Versions
    from inference.registry import Registry

PUBLISH_HELP = """Load a trained model beside the one that serves, have it answer, and try it on the quiet.

It becomes the shadow: a share of live snapshots is scored by it as well, whenever nothing else waits, and its answers
stand in `scores` and `examples` as `shadow`. A folder that does not fit its manifest, or does not answer, is refused
and changes nothing.

Examples:

  footfall model publish runs/bert-2

  footfall model publish runs/bert-2 --share 0.2
"""
PROMOTE_HELP = """Let a version serve everybody, or a share of the customers.

It takes evidence: at least 200 labels of a target on which its log loss is, with 95% confidence, at most 0.01 higher
than the serving version's, and no target on which it is worse. No request waits or is lost; workers follow within a
second. The version before stays loaded.

Examples:

  footfall model promote bert-2 --canary 0.1

  footfall model promote bert-2
"""
ROLLBACK_HELP = """End the canary; where there is none, let the version before serve again.

Examples:

  footfall model rollback
"""
LIST_HELP = """Which versions there are, what each is for, and what labels and Triton say of them.

Examples:

  footfall model list

  footfall model list --json
"""
CHECK_HELP = """Have every version in use answer a real text, and load anew those that do not.

Examples:

  footfall model check
"""

JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Versions of BERT: publish, try, promote, roll back.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("publish", help=PUBLISH_HELP)(publish)
    group.command("promote", help=PROMOTE_HELP)(promote)
    group.command("rollback", help=ROLLBACK_HELP)(rollback)
    group.command("list", help=LIST_HELP)(show)
    group.command("check", help=CHECK_HELP)(check)
    app.add_typer(group, name="model")


def publish(
    folder: Annotated[Path, typer.Argument(help="a folder that `footfall train` made")],
    share: Annotated[float, typer.Option(min=0, max=1, help="share of customers that it shadows; 0: none")] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Publish a model."""
    entry = _versions().publish(folder, share)
    _tell({"name": entry.name, "version": entry.version}, f"{entry.version} is {entry.name} on Triton", as_json)


def promote(
    name: Annotated[str, typer.Argument(help="a version's name on Triton, as `footfall model list` shows it")],
    canary: Annotated[float, typer.Option(min=0, max=1, help="share of customers that it serves; default: all")] = 1.0,
    force: Annotated[bool, typer.Option("--force", help="do without evidence")] = False,
    as_json: JsonOption = False,
) -> None:
    """Promote a version."""
    evidence = _versions().promote(name, canary, force=force)
    whom = "everybody" if canary == 1 else f"{canary:.0%} of the customers"
    _tell({"name": name, "share": canary, "evidence": evidence}, f"{name} serves {whom}", as_json)


def rollback(as_json: JsonOption = False) -> None:
    """Go back."""
    registry = _versions().roll_back()
    _tell({"serving": registry.serving, "canary": registry.canary}, f"{registry.serving} serves", as_json)


def check(as_json: JsonOption = False) -> None:
    """Check, and mend."""
    found = _versions().check()
    _tell(found, "\n".join(f"{name}: {what}" for name, what in found.items()), as_json)
    if not set(found.values()) <= {"good", "mended"}:
        raise typer.Exit(1)


def show(as_json: JsonOption = False) -> None:
    """List the versions."""
    from rich.console import Console
    from rich.table import Table

    from inference.registry import BASE
    from schemas.errors import OperatorError

    versions = _versions()
    registry = versions.read()
    rows: list[dict[str, Any]] = []
    for name in (BASE, *(entry.name for entry in registry.entries)):
        row: dict[str, Any] = {"name": name, "version": versions.version(name), "role": _role(registry, name)}
        try:
            row["triton"] = versions.server.milliseconds(name)
        except OperatorError:
            row["triton"] = {}
        row["evidence"] = {} if name == registry.serving else versions.evidence(registry, name)
        rows.append(row)
    history = [{"at": c.at, "what": c.what, "name": c.name, "forced": c.forced} for c in registry.history]
    if as_json:
        Console().print_json(data={"versions": rows, "history": history})
        return
    table = Table("name", "version", "role", "texts", "ms", "labels: log loss (serving's)")
    for row in rows:
        seen = "; ".join(
            f"{target} {one['labels']}: {one['log_loss']['candidate']} ({one['log_loss']['serving']}) {one['verdict']}"
            for target, one in row["evidence"].items()
        )
        took = row["triton"]
        table.add_row(
            row["name"], row["version"], row["role"], f"{took.get('texts', '')}", f"{took.get('mean_ms', '')}", seen
        )
    Console().print(table)


def _role(registry: "Registry", name: str) -> str:
    shares = {"canary": registry.canary_share, "shadow": registry.shadow_share}
    roles = [role for role in ("serving", "previous", "canary", "shadow") if getattr(registry, role) == name]
    return ", ".join(f"{role} {shares[role]:.0%}" if role in shares else role for role in roles)


def _versions() -> "Versions":
    from deploy.models.versions import Versions
    from stream.settings import Settings

    return Versions(Settings())


def _tell(data: dict[str, Any], words: str, as_json: bool) -> None:
    from rich.console import Console

    if as_json:
        Console().print_json(data=data)
    else:
        Console().print(words, highlight=False, markup=False)
