"""A canary inference through the pipeline's own client: real texts, the very tokenizer and heads of the version."""

import asyncio
from pathlib import Path

from inference.model import Model
from inference.scorer import Unavailable
from inference.triton import TritonScorer
from schemas.errors import OperatorError

TEXTS = ("", "3d bought 2 bread 5, 9d viewed soft drinks", "now searched \N{PILE OF POO} " + "很好 " * 100)


def probe(url: str, name: str, folder: Path, deadline_s: float = 10.0) -> None:
    """Have `name` on Triton answer. `OperatorError` where it does not, answers oddly, or is not the one in `folder`."""
    model = Model.load(folder)
    version = asyncio.run(_version(url, name, model, deadline_s))
    if version != model.version:
        raise OperatorError(f"{name} on Triton is {version}, not {model.version} of {folder}: publish it again")


async def _version(url: str, name: str, model: Model, deadline_s: float) -> str:
    scorer = TritonScorer(url, model, deadline_s=deadline_s, name=name)
    try:
        await scorer.score(TEXTS)
    except Unavailable as error:
        raise OperatorError(f"{name} does not answer ({error}): look at Triton's log") from error
    finally:
        await scorer.close()
    return scorer.version
