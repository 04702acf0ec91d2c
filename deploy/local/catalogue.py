"""Which parts there are, in which order they start, and which of them a selection means."""

from collections.abc import Collection
from pathlib import Path

from deploy.local import parts
from deploy.local.broker import Broker
from deploy.local.part import Part
from deploy.local.repository import assemble
from deploy.local.triton import Triton
from schemas.errors import OperatorError
from stream.settings import Settings

TEMPLATE = Path(__file__).parents[1] / "triton" / "bert"
WAVES = (("kafka", "triton"), ("topics",), (*parts.WORKERS, "collector", "recommender", "prometheus"))
"""The parts of a wave start side by side, once those of the wave before are ready."""
NAMES = tuple(name for wave in WAVES for name in wave)


def select(only: Collection[str] | None) -> tuple[str, ...]:
    """What a selection means, in starting order: all parts without one; topics for whatever reads or writes them."""
    if only is None:
        return NAMES
    if unknown := sorted(set(only) - set(NAMES)):
        raise OperatorError(f"there is no part `{unknown[0]}`: choose from {', '.join(NAMES)}")
    wanted = set(only)
    if wanted & {*parts.WORKERS, "collector", "recommender"}:
        wanted.add("topics")
    return tuple(name for name in NAMES if name in wanted)


def build(name: str, settings: Settings, stack_id: str) -> Part | None:
    """One part; None where it cannot be had on this machine and is not needed."""
    match name:
        case "kafka":
            return parts.given_kafka(settings) if settings.given("kafka_brokers") else Broker(settings)
        case "triton":
            if settings.given("triton_url"):
                return parts.given_triton(settings)
            return Triton(settings, stack_id, lambda: models(settings))
        case "topics":
            return parts.topics(settings)
        case "collector":
            return parts.collector(settings)
        case "recommender":
            return parts.recommender(settings)
        case "prometheus":
            return parts.prometheus(settings)
        case _:
            return parts.worker(settings, name)


def models(settings: Settings) -> Path:
    """The model repository of this installation, with the chosen BERT in it."""
    from inference.model import SHIPPED

    repository = settings.repository.resolve()
    assemble(TEMPLATE, settings.model_dir or SHIPPED, repository, "bert", settings.triton_device)
    return repository
