"""One erasure from beginning to end: the stages asked, their stores looked at, the rest cleared, all accounted for."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from deploy.erase import local, receipt
from deploy.erase.asking import Asking, Late
from deploy.erase.naming import Naming
from deploy.erase.receipt import NOTES, Place, Receipt
from deploy.erase.scan import Holding, scan
from schemas.merges import Anonymise, Erase, Forget
from schemas.topics import DEAD_LETTERS, DECISIONS, EXAMPLES, MODELS, PENDING, PROFILES, TOPICS, Topic
from stream.features.codec import decode_profile
from stream.settings import Settings

_STORES: Final = (PROFILES, DECISIONS, PENDING)
# No stage owns these: single records are deleted by their keys.
_LOGS: Final = (EXAMPLES, DEAD_LETTERS)
# An empty record may have something on its way still: it is asked for so often.
_TRIES: Final = 3

# What goes on, in words.
Told = Callable[[str], None]


class Erasure:
    """Erases one customer, or with an alias lets her profile go on under it. Blocks; raises `OperatorError`."""

    def __init__(self, settings: Settings, customer: str, alias: str | None, wait_s: float, told: Told) -> None:
        self._settings = settings
        self._customer = customer
        self._alias = alias
        self._told = told
        self._naming = Naming(customer)
        self._request = secrets.token_hex(8)
        self._at = int(time.time() * 1000)
        self._wait_s = wait_s

    def run(self) -> tuple[Receipt, Path]:
        """Do it; gives the receipt and its file. What Kafka has taken is done in any case, sooner or later."""
        folder = self._settings.data_dir
        before = {topic: self._scan(topic) for topic in _STORES}
        rows = local.look(folder, self._customer)
        asking = Asking(self._settings, self._customer, time.monotonic() + self._wait_s, self._told)
        late = self._ask(asking, before[PROFILES])
        for topic in _LOGS:
            before[topic] = self._clear(asking, topic)
        local.clear(folder, self._customer, self._alias)
        found = Receipt(
            request=self._request,
            command="erase" if self._alias is None else "anonymise",
            customer=receipt.hashed(self._customer),
            asked=receipt.when(self._at),
            finished="",
            waiting_for=late,
            places=self._places(before),
            folders=rows.folders,
            notes=NOTES,
        )
        found.places += receipt.place_of_files(rows, local.look(folder, self._customer))
        found.finished = receipt.when(int(time.time() * 1000))
        return found, receipt.write(folder / "receipts", found)

    def _ask(self, asking: Asking, before: Holding) -> str:
        """Have the stages forget her; gives the stage that did not do so in time."""
        try:
            if self._alias is None:
                self._erase(asking)
            else:
                self._anonymise(asking, self._alias, before)
            self._forget(asking)
            asking.told_on()
        except Late as late:
            return late.stage
        return ""

    def _erase(self, asking: Asking) -> None:
        erase = Erase(customer=self._customer, at=self._at, request=self._request, after=asking.after())
        asking.ask(self._customer, erase)
        # Her devices are told, and answer.
        asking.merges()
        asking.merges()

    def _anonymise(self, asking: Asking, alias: str, before: Holding) -> None:
        stored = before.live.get((asking.home, self._customer.encode()))
        ids = None if stored is None else decode_profile(stored).ids
        # What her devices had on its way to her meanwhile follows.
        for _ in range(2 if ids is not None and ids.devices else 1):
            said = Anonymise(
                customer=self._customer, alias=alias, at=self._at, request=self._request, after=asking.after()
            )
            asking.ask(self._customer, said)
            asking.merges()
        stub = Erase(customer=self._customer, at=self._at, request=self._request, step="stub")
        for _ in range(_TRIES):
            asking.ask(self._customer, stub)
            if (asking.home, self._customer.encode()) not in self._scan(PROFILES).live:
                break

    def _forget(self, asking: Asking) -> None:
        """Records that name her, of devices that she no longer remembered."""
        for _, key in self._scan(PROFILES).live:
            holder = key.decode()
            if holder != self._customer:
                said = Forget(
                    holder=holder,
                    name=self._customer,
                    at=self._at,
                    request=self._request,
                    drop=self._alias is None,
                )
                asking.ask(holder, said)

    def _clear(self, asking: Asking, topic: Topic) -> Holding:
        found = self._scan(topic)
        if found.kept.compact:
            for (number, key), value in found.live.items():
                renamed = None if self._alias is None or topic != EXAMPLES else local.example(value, self._alias)
                asking.put(topic, number, key, renamed)
        return found

    def _places(self, before: dict[Topic, Holding]) -> list[Place]:
        places = []
        for topic in TOPICS:
            if topic == MODELS:
                continue
            after = self._scan(topic)
            gone = before[topic].live.keys() - after.live.keys() if topic in before and after.kept.compact else ()
            places.append(receipt.place_of(after, len(gone)))
        return places

    def _scan(self, topic: Topic) -> Holding:
        return look_through(self._settings, self._naming, topic, self._told)


def look_through(settings: Settings, naming: Naming, topic: Topic, told: Told) -> Holding:
    """What a topic holds, told while it is read."""
    read = 0

    def more(records: int) -> None:
        nonlocal read
        read += records
        told(f"reading {topic.name}: {read:,} records")

    told(f"reading {topic.name}")
    return scan(settings, naming, topic, more)


def verify(settings: Settings, customer: str, told: Told) -> list[Place]:
    """What is left of a customer everywhere."""
    naming = Naming(customer)
    places = [receipt.place_of(look_through(settings, naming, topic, told)) for topic in TOPICS if topic != MODELS]
    rows = local.look(settings.data_dir, customer)
    return places + receipt.place_of_files(rows, rows)
