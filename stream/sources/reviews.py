"""Reviews with a label: known sets, and whatever a shop brings as CSV."""

import io
import zipfile
from pathlib import Path
from typing import Final

import polars as pl

from schemas.errors import OperatorError

NAMES: Final = ("shopping-reviews", "delivery-reviews")
LABEL: Final = ("label", "sentiment", "rating")
WORDS: Final = ("review", "text", "review_body")
# Of ratings from 1 to 5: content from 4, not content to 2; 3 says neither.
CONTENT, DISCONTENT = 4, 2


def read(path: Path) -> pl.DataFrame:
    """Reviews as `text` and `sentiment` (content or not), each once, out of a CSV file or a zip archive of one.

    Columns: `review` (or text, review_body) and `label` (1 content, 0 not) or `rating` (1 to 5, where 3 is left out).
    `OperatorError` when it has none such, or nothing remains.
    """
    try:
        table = pl.read_csv(io.BytesIO(_bytes(path)))
    except (OSError, zipfile.BadZipFile, pl.exceptions.PolarsError) as error:
        raise OperatorError(f"{path} is no table of reviews ({error})") from error
    words = next((name for name in WORDS if name in table.columns), None)
    label = next((name for name in LABEL if name in table.columns), None)
    if words is None or label is None:
        raise OperatorError(f"{path} has the columns {', '.join(table.columns)}: name them review and label, or rating")
    told = pl.col(label).cast(pl.Float64, strict=False)
    content = (
        pl.when(told >= CONTENT).then(True).when(told <= DISCONTENT).then(False)
        if label == "rating"
        else pl.when(told == 1).then(True).when(told == 0).then(False)
    )  # fmt: skip
    reviews = table.select(pl.col(words).cast(pl.String).alias("text"), content.alias("sentiment")).drop_nulls()
    reviews = reviews.filter(pl.col("text").str.strip_chars() != "").unique("text", maintain_order=True, keep="first")
    if not reviews.height:
        raise OperatorError(f"{path} has no review with a label: 1 or 0 in `label`, or 1 to 5 in `rating`")
    return reviews


def _bytes(path: Path) -> bytes:
    if path.suffix != ".zip":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        (name, *_) = [name for name in archive.namelist() if name.endswith(".csv")] or [""]
        if not name:
            raise zipfile.BadZipFile("no CSV file in it")
        return archive.read(name)
