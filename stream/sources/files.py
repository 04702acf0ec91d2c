"""Where the files of known data sets are: the one named, or one of its usual name in the folders of the settings."""

from pathlib import Path
from typing import Final

from schemas.errors import OperatorError

# Names that these data sets have where they are published or commonly kept.
USUAL: Final[dict[str, tuple[str, ...]]] = {
    "taobao": ("UserBehavior.csv", "taobao_userbehavior_sample/events_clean.csv"),
    "diginetica": ("diginetica_gcegnn.json",),
    "shopping-reviews": ("online_shopping_10_cats.csv", "chinese_reviews/online_shopping_10_cats.zip"),
    "delivery-reviews": ("waimai_10k.csv", "chinese_reviews/waimai_10k.csv"),
}


def find(name: str, given: Path | None, folders: str) -> Path:
    """The file of the data set `name`: `given`, else the first usual one in `folders` (separated by colons).

    Raises `OperatorError` that says where it was looked for.
    """
    if given is not None:
        if not given.is_file():
            raise OperatorError(f"there is no file {given}")
        return given
    places = [Path(folder) / usual for folder in folders.split(":") for usual in USUAL[name]]
    for place in places:
        if place.is_file():
            return place
    raise OperatorError(
        f"the file of {name} is none of {', '.join(map(str, places))}: name it, or set FOOTFALL_SOURCE_DIRS"
    )
