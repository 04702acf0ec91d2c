"""The model card: what a person should know before she serves a model (Mitchell et al. 2019, Model Cards)."""

from pathlib import Path
from typing import Final

from inference import rhythm
from inference.bins import features_of
from inference.manifest import Manifest
from schemas.features import BY_NAME

FILE: Final = "README.md"

_MEANING: Final = {
    "churn": "probability of no purchase within {days} days",
    "intent": "probability of a purchase within {days} days",
    "value": "spend expected within {days} days, as log1p of the main unit",
    "sentiment": "probability that a review is content",
}


def write(folder: Path, manifest: Manifest) -> None:
    """Write the card of a model beside its manifest."""
    (folder / FILE).write_text(render(manifest), encoding="utf-8")


def render(manifest: Manifest) -> str:
    """The card as Markdown."""
    return "\n".join([*_top(manifest), *_quality(manifest), *_inputs(manifest), *_limits(manifest)]) + "\n"


def _top(manifest: Manifest) -> list[str]:
    heads = [f"- `{h}`: {_MEANING[h].format(days=manifest.horizons.get(h, 0))}" for h in manifest.heads]
    data = [f"- {name.replace('_', ' ')}: {value}" for name, value in manifest.data.items()]
    return [
        f"# {manifest.version}",
        "",
        "Reads a customer's features and latest behaviours, or a review, and answers:",
        "",
        *heads,
        "",
        "## Made of",
        "",
        *data,
        f"- made at {manifest.created} by `{manifest.command}`",
        "",
    ]


def _quality(manifest: Manifest) -> list[str]:
    lines = [
        "## Measured on the test part, with the file that is served",
        "",
        "| head | measure | value |",
        "|---|---|---|",
    ]
    for head, found in manifest.metrics.items():
        lines += [f"| {head} | {name.replace('_', ' ')} | {value:g} |" for name, value in found.items()]
    return [*lines, ""]


def _inputs(manifest: Manifest) -> list[str]:
    words = [f"- `{name}`: {_said(name)} ({len(edges) + 1} buckets)" for name, edges in manifest.bins.edges.items()]
    return ["## Numbers read", "", *words, ""]


def _said(name: str) -> str:
    features = features_of(name)
    return " over ".join(BY_NAME[f].meaning for f in features) if features else rhythm.meaning(name)


def _limits(manifest: Manifest) -> list[str]:
    return [
        "## Limits",
        "",
        f"- It has seen the customers of {manifest.data['source']}; of another shop's it knows nothing until it is",
        "  trained on that shop's own examples (`footfall dataset`, `footfall train`).",
        "- Amounts are in the currency of that source; buckets are the quantiles of its customers.",
        "- It is calibrated on average, not for every group: `footfall evaluate` tells the gaps between groups.",
        "- Nobody should be refused anything because of its answers: it was made to decide on reminders and offers.",
        "",
    ]
