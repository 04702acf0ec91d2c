"""The decisions seen of late, so that one said again is dropped."""

from collections import OrderedDict
from typing import Final

MEMORY: Final = 10_000


class Seen:
    """The newest `size` decision ids: a stage that starts again after a crash repeats what it said in its last second.

    >>> seen = Seen(2)
    >>> [seen.add(id) for id in ("a", "b", "a", "c", "a", "b")]
    [True, True, False, True, False, True]
    """

    def __init__(self, size: int = MEMORY) -> None:
        self._size = size
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._ids)

    def add(self, decision_id: str) -> bool:
        """Whether it is new; it is remembered, the oldest beyond the size is not."""
        if decision_id in self._ids:
            self._ids.move_to_end(decision_id)
            return False
        self._ids[decision_id] = None
        if len(self._ids) > self._size:
            self._ids.popitem(last=False)
        return True
