"""`footfall compile`: the core as machine code."""

import json
from typing import Annotated

import typer

EXAMPLES = "Examples:  footfall compile  ·  footfall compile --if-possible --json  ·  FOOTFALL_COMPILED=0 footfall up"


def register(app: typer.Typer) -> None:
    @app.command("compile", epilog=EXAMPLES)
    def compile_core(
        if_possible: Annotated[
            bool, typer.Option("--if-possible", help="Where it is not possible, say why and succeed.")
        ] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Compile the core, which decodes every event and applies it; whatever starts afterwards runs it.

        It is made of the very sources, with mypyc, and found only as long as they are the same. Without it they are
        interpreted. FOOTFALL_COMPILED=0 runs the sources all the same.
        """
        from rich.console import Console

        from deploy.core.build import build
        from schemas.compiled import MODULES
        from schemas.errors import OperatorError
        from stream.settings import Settings

        console = Console(stderr=True)
        try:
            with console.status("the core") as status:
                built = build(Settings().cache_dir, lambda line: status.update(line))
        except OperatorError as error:
            if not if_possible:
                raise
            if as_json:
                print(json.dumps({"compiled": False, "why": str(error)}))
            else:
                console.print(f"not compiled: {error}", highlight=False)
            return
        if as_json:
            told = {"compiled": True, "modules": len(MODULES), "seconds": round(built.seconds, 1)}
            print(json.dumps(told | {"folder": str(built.folder)}))
        elif built.seconds:
            console.print(f"compiled {len(MODULES)} modules in {built.seconds:.0f} s: {built.folder}", highlight=False)
