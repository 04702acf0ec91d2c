"""The command line: every module of `deploy.commands` registers itself; expected failures end in one line, code 1."""

import importlib
import pkgutil
import sys

import typer
from rich.console import Console
from typer.core import TyperGroup

import deploy.commands
from schemas.errors import FootfallError


class Group(TyperGroup):
    """A group whose expected failures are told in one line, whatever the command."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except FootfallError as error:
            raise _refused(str(error)) from error
        except ValueError as error:
            from stream.settings import refusal

            told = refusal(error)
            if told is None:
                raise
            raise _refused(told) from error


def _refused(told: str) -> typer.Exit:
    Console(stderr=True).print(f"footfall: {told}", style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(1)


def build() -> typer.Typer:
    """The application with every command registered, in the order of their modules' names."""
    app = typer.Typer(
        cls=Group,
        name="footfall",
        help="Real-time customer prediction: who is about to buy, who is about to leave, and what to do about it.",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_show_locals=False,
    )

    @app.callback()
    def footfall() -> None:
        """Keeps the names of commands in the command line even where there is only one."""

    for module in sorted(info.name for info in pkgutil.iter_modules(deploy.commands.__path__)):
        importlib.import_module(f"{deploy.commands.__name__}.{module}").register(app)
    return app


app = build()

if __name__ == "__main__":
    sys.exit(app())
