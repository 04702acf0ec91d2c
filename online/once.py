"""Which examples were learned lately, so that one that a crash made come again is learned once.

Ids are kept by the version of the model that learned them first: what is written with a version is as long as what is
new in it, and its place is taken after `VERSIONS` more. A stage that was killed says again what it said since its last
barrier, as soon as another has its partitions: within seconds, while versions are a second apart.
"""

from typing import Final

import msgspec
from msgspec import Struct

from schemas.outputs import ModelSnapshot

VERSIONS: Final = 240
_NAME: Final = "learned-"


class _State(Struct, forbid_unknown_fields=True):
    ids: list[str]


class Once:
    """The ids of the examples that the newest `VERSIONS` versions learned first."""

    def __init__(self) -> None:
        self._place: dict[str, int] = {}
        self._ids: dict[int, list[str]] = {}
        self._ends: dict[int, int] = {}
        self._new: list[str] = []

    def __contains__(self, example: str) -> bool:
        return example in self._place

    def add(self, example: str) -> None:
        """An example was learned."""
        self._place[example] = -1
        self._new.append(example)

    def snapshot(self, offset: int, at: int) -> ModelSnapshot | None:
        """What is new, in the place of the oldest; `offset` (exclusive) is where the version ends that learned it."""
        if not self._new:
            return None
        place = min(self._ends, key=self._ends.__getitem__) if len(self._ends) >= VERSIONS else len(self._ends)
        new, self._new = self._new, []
        self._take(place, new, offset)
        return ModelSnapshot(name=f"{_NAME}{place}", version="", offset=offset, at=at, state={"ids": new}, metrics={})

    @staticmethod
    def wrote(name: str) -> bool:
        """Whether a record of this name is such a one, and no model."""
        return name.startswith(_NAME)

    def restore(self, snapshot: ModelSnapshot) -> None:
        """Take over what `snapshot` gave; raises ValueError for what is none."""
        number = snapshot.name.removeprefix(_NAME)
        try:
            ids = msgspec.convert(snapshot.state, _State).ids
        except msgspec.ValidationError as error:
            raise ValueError(f"not a list of learned examples: {error}") from error
        if not number.isdecimal() or int(number) >= VERSIONS:
            raise ValueError(f"{snapshot.name!r} is no place of learned examples")
        self._take(int(number), ids, snapshot.offset)

    def forget_after(self, offset: int) -> None:
        """Forget what was written for a version that, killed meanwhile, was not: the model has not learned it."""
        for place in [place for place, end in self._ends.items() if end > offset]:
            self._take(place, [], 0)

    def _take(self, place: int, ids: list[str], offset: int) -> None:
        for known in self._ids.get(place, ()):
            if self._place.get(known) == place:
                del self._place[known]
        self._ids[place], self._ends[place] = ids, offset
        self._place.update(dict.fromkeys(ids, place))
