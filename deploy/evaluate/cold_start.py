"""`footfall evaluate --task cold-start`: a new shop's first weeks, with the shipped prior and without one.

The online models alone, as they would have lived: at each cut-off they have learned what had matured, no more. The shop
is one that the prior knows nothing of: a simulated one by default, or the examples of a real one.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from deploy.evaluate.asked import Asked
from deploy.evaluate.delayed import Found, run
from deploy.evaluate.online import judge
from deploy.evaluate.past import TARGETS, Past, load
from online.prior import read
from online.state import Learner
from schemas.errors import OperatorError
from schemas.features import DAY_MS
from stream.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

SIMULATED: Final = "simulated"
CUSTOMERS: Final = 300
DAYS: Final = 100
EVERY: Final = 5.0
WARM_UP: Final = 10.0
START_MS: Final = 1_709_251_200_000  # 2024-03-01
SHOWN: Final = 12


def measure(asked: Asked) -> dict[str, Any]:
    """ROC AUC and log loss of the online models by target, with the prior and without, over all and by cut-off."""
    from rich.console import Console
    from rich.progress import Progress

    settings = Settings()
    prior = read(settings.prior)
    past = _past(asked, settings)
    if prior.source == Path(asked.source).stem:
        raise OperatorError(f"the prior was made of {asked.source}: ask for a shop that it has not seen")
    horizons = {"churn": settings.churn_days * DAY_MS, "intent": settings.intent_days * DAY_MS}
    nobody = np.full((len(past.at), len(TARGETS)), np.nan)
    lived: dict[str, Found] = {}
    with Progress(console=Console(stderr=True), disable=asked.quiet) as progress:
        for name, learner in (("prior", Learner(prior)), ("none", Learner())):
            task = progress.add_task(f"predicting, then learning: {name}", total=len(past.at))
            lived[name] = run(past, learner, nobody, horizons, lambda rows, task=task: progress.advance(task, rows))  # type: ignore[misc]
    everything = np.ones(len(past.at), bool)
    first = {target: past.cutoffs[0] + horizons[target] for target in TARGETS}
    return {
        "auc": _judged("auc", past, lived, everything),
        "log_loss": _judged("log_loss", past, lived, everything),
        "before_the_first_label": {
            target: {
                name: judge("auc", past, found, target, "online", past.at < first[target])
                for name, found in lived.items()
            }
            for target in TARGETS
        },
        "over_time": [
            {"day": (cutoff - past.cutoffs[0]) // DAY_MS, "examples": int((past.at == cutoff).sum())}
            | {"auc": _judged("auc", past, lived, past.at == cutoff)}
            | {"log_loss": _judged("log_loss", past, lived, past.at == cutoff)}
            for cutoff in past.cutoffs
        ],
        "examples": len(past.at),
        "prior": {"source": prior.source, "examples": prior.examples},
    }


def _past(asked: Asked, settings: Settings) -> Past:
    """The shop's past: an example file's, or that of a shop which is simulated for it, kept for the next time."""
    if asked.source.endswith(".parquet"):
        if not Path(asked.source).is_file():
            raise OperatorError(f"there is no file {asked.source}: make one with `footfall dataset`")
        return load(Path(asked.source))
    if asked.source != SIMULATED:
        raise OperatorError(f"--source {asked.source}: cold-start is measured on {SIMULATED} or on an example file")
    from stream.dataset import write

    customers = asked.limit or CUSTOMERS
    path = settings.data_dir.resolve() / "evaluate" / f"{SIMULATED}-{asked.seed}-{customers}.parquet"
    if not path.exists():
        write(_simulated(asked.seed, customers, settings), path)
    return load(path)


def _simulated(seed: int, customers: int, settings: Settings) -> Any:
    from deploy.dataset import Shape, labelled
    from deploy.simulate.storefront import Storefront
    from schemas.decode import decode

    shop = Storefront(seed, customers=customers, days=DAYS, live_every_s=600)
    events = (decode(told.value, settings.currency) for told in shop.events(START_MS, START_MS + DAYS * DAY_MS))
    return labelled(events, Shape(every=EVERY, warm_up=WARM_UP), settings)


def _judged(metric: str, past: Past, lived: dict[str, Found], rows: Any) -> dict[str, dict[str, float | None]]:
    return {
        target: {name: judge(metric, past, found, target, "online", rows) for name, found in lived.items()}
        for target in TARGETS
    }


def show(console: "Console", found: dict[str, Any]) -> None:
    """ROC AUC of both by cut-off, the first weeks of it."""
    from rich.table import Table

    for target in TARGETS:
        table = Table("day", "customers", "with the prior", "without", title=f"{target}: ROC AUC")
        for row in found["over_time"][:SHOWN]:
            both = row["auc"][target]
            table.add_row(f"{row['day']}", f"{row['examples']}", *(_number(both[name]) for name in ("prior", "none")))
        whole = found["auc"][target]
        table.add_row("all", f"{found['examples']:,}", _number(whole["prior"]), _number(whole["none"]))
        console.print(table)
    prior = found["prior"]
    console.print(f"The prior is what {prior['examples']:,} examples of {prior['source']} taught.", highlight=False)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
