"""What a new shop's online models begin with: what the customers of another shop taught, believed as little as nothing.

Weights are of scaled features, so what carries over is "ordered more often than the shop's average customer", not "9
times". How many of one shop's customers leave says nothing of another's: the intercept begins at 0. A weight is as
uncertain as one of 0 would be: the shop's own examples move it as fast. Scales count as those of `BELIEVED` examples.
"""

from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from online.learners.newton import LARGEST, Newton, Scaled, Taught
from schemas.errors import OperatorError

SHIPPED: Final = Path(__file__).with_name("prior.json")
BELIEVED: Final = 300
INTERCEPT: Final = ""
_DIGITS: Final = 5


class Prior(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `examples` of a source have taught, by target."""

    source: str
    examples: int
    targets: dict[str, Taught]

    def begin(self, target: str) -> Newton:
        """A regression that has learned nothing of this shop yet."""
        taught = self.targets.get(target)
        return Newton() if taught is None else Newton.begin(taught)


def read(path: Path | None = None) -> Prior:
    """The prior of a file that `footfall prior` wrote, by default the one shipped; `OperatorError` for what is none."""
    return _read(path or SHIPPED)


@cache
def _read(path: Path) -> Prior:
    try:
        prior = msgspec.json.decode(path.read_bytes(), type=Prior)
    except (OSError, msgspec.DecodeError) as error:
        raise OperatorError(f"{path} is no prior ({error}): make one with `footfall prior`") from error
    numbers = [weight for taught in prior.targets.values() for weight in taught.weights.values()]
    scales = [scale for taught in prior.targets.values() for scale in taught.scales.values()]
    if any(abs(weight) > LARGEST for weight in numbers) or any(one.count < 1 or one.var < 0 for one in scales):
        raise OperatorError(f"{path} is no prior (numbers out of range): make one with `footfall prior`")
    return prior


def distil(models: dict[str, Newton], source: str) -> Prior:
    """What models have learned, as a prior."""
    taught = {target: _rounded(model.taught(BELIEVED)) for target, model in models.items()}
    return Prior(source=source, examples=max(model.learned for model in models.values()), targets=taught)


def _rounded(taught: Taught) -> Taught:
    weights = {name: round(weight, _DIGITS) for name, weight in taught.weights.items() if name != INTERCEPT}
    scales = {
        name: Scaled(scale.count, round(scale.mean, _DIGITS), round(scale.var, _DIGITS))
        for name, scale in taught.scales.items()
    }
    return Taught(weights={INTERCEPT: 0.0} | weights, scales=scales)
