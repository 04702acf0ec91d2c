"""Items as small numbers, so that what is kept of them lies in arrays; an item's number is free once it is gone."""

from collections.abc import Iterable


class Slots:
    """The items known, each with its own slot below `limit`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._slots: dict[str, int] = {}
        self._names: list[str] = []
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, item: str) -> bool:
        return item in self._slots

    @property
    def full(self) -> bool:
        """Whether a new item needs another to be forgotten first."""
        return len(self._slots) >= self.limit

    def find(self, item: str) -> int | None:
        """The slot of a known item."""
        return self._slots.get(item)

    def add(self, item: str) -> int:
        """The slot of an item, a new one if it has none yet; there must be room."""
        slot = self._slots.get(item)
        if slot is None:
            slot = self._free.pop() if self._free else len(self._names)
            if slot == len(self._names):
                self._names.append(item)
            else:
                self._names[slot] = item
            self._slots[item] = slot
        return slot

    def name(self, slot: int) -> str:
        """The item in a slot."""
        return self._names[slot]

    def remove(self, slots: Iterable[int]) -> None:
        """Forget the items in these slots."""
        for slot in slots:
            del self._slots[self._names[slot]]
            self._names[slot] = ""
            self._free.append(slot)

    def dump(self) -> list[str]:
        """The items in order of their slots, empty where a slot is free."""
        return list(self._names)

    @classmethod
    def load(cls, names: list[str], limit: int) -> "Slots":
        """The slots of `dump`. Raises ValueError for more items than the limit, or one twice."""
        slots = cls(limit)
        slots._names = list(names)
        slots._slots = {name: slot for slot, name in enumerate(names) if name}
        slots._free = [slot for slot in range(len(names) - 1, -1, -1) if not names[slot]]
        if len(names) > limit:
            raise ValueError(f"{len(names)} items, where {limit} are kept at most")
        if len(slots._slots) + len(slots._free) != len(names):
            raise ValueError("an item has two slots")
        return slots
