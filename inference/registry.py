"""Which versions of BERT there are and what each is for: `registry.json` in Triton's model repository.

Every version is a model of its own name on Triton (`bert`, `bert-2`, …), loaded beside the others: a story is encoded
by the very version that scores it, a swap is a change of name that no request waits for, and the version before goes
on answering whoever still asks it. (One name with numbered versions would unload the old one under its callers.)
"""

import os
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from schemas.errors import OperatorError
from schemas.hashing import hash64

FILE: Final = "registry.json"
BASE: Final = "bert"
_BUCKETS: Final = 1 << 20


class Entry(Struct, frozen=True, kw_only=True):
    """A published version: its name on Triton, its manifest's `version`, where it came from and when (ISO 8601)."""

    name: str
    version: str
    source: str
    at: str


class Change(Struct, frozen=True, kw_only=True):
    """What was done, to which version, when, on what evidence; `forced` says that the evidence did not suffice."""

    at: str
    what: str
    name: str
    evidence: dict[str, Any] = {}
    forced: bool = False


class Registry(Struct, frozen=True, kw_only=True):
    """Who serves, who served before, who is tried on the quiet (`shadow`) and who on some customers (`canary`).

    `BASE` is the model of FOOTFALL_MODEL_DIR, or the shipped one; it is never in `entries`. Empty names are nobody.
    """

    serving: str = BASE
    previous: str = ""
    shadow: str = ""
    shadow_share: float = 1.0
    canary: str = ""
    canary_share: float = 0.0
    entries: tuple[Entry, ...] = ()
    history: tuple[Change, ...] = ()

    @property
    def in_use(self) -> tuple[str, ...]:
        """The names that must be loaded, each once, the serving one first."""
        names = (self.serving, self.previous, self.canary, self.shadow)
        return tuple(dict.fromkeys(name for name in names if name))

    @property
    def next_name(self) -> str:
        """A name that no version has or had."""
        published = [change.name for change in self.history] + [entry.name for entry in self.entries]
        numbers = [int(name.rpartition("-")[2]) for name in published if name != BASE]
        return f"{BASE}-{max([1, *numbers]) + 1}"

    def knows(self, name: str) -> bool:
        """Whether there is such a version."""
        return name == BASE or any(entry.name == name for entry in self.entries)

    def published(self, entry: Entry, share: float) -> "Registry":
        """With a new version, which is tried as the shadow on this share of live snapshots (0: not yet)."""
        tried: dict[str, Any] = {"shadow": entry.name, "shadow_share": share} if share else {}
        return self._changed(entry.at, "published", entry.name, entries=(*self.entries, entry), **tried)

    def tried(self, name: str, share: float, at: str, evidence: dict[str, Any], *, forced: bool) -> "Registry":
        """With a version that serves this share of the customers."""
        return self._changed(at, "canary", name, evidence, forced, canary=name, canary_share=share)

    def promoted(self, name: str, at: str, evidence: dict[str, Any], *, forced: bool) -> "Registry":
        """With a version that serves everybody; it is no longer on trial."""
        return self._serving(name, at, "promoted", evidence, forced)

    def rolled_back(self, at: str) -> "Registry":
        """Without its canary, else with the version before. Raises `OperatorError` where there is neither."""
        if self.canary:
            return self._changed(at, "rolled back", self.canary, canary="", canary_share=0.0)
        if not self.previous:
            raise OperatorError("there is nothing to roll back to: no canary serves, and no version served before")
        return self._serving(self.previous, at, "rolled back", {}, False)

    def without(self, name: str) -> "Registry":
        """Without a version that is in nobody's use."""
        return replace(self, entries=tuple(entry for entry in self.entries if entry.name != name))

    def _serving(self, name: str, at: str, what: str, evidence: dict[str, Any], forced: bool) -> "Registry":
        ends: dict[str, Any] = {role: "" for role in ("shadow", "canary") if getattr(self, role) == name}
        return self._changed(at, what, name, evidence, forced, serving=name, previous=self.serving, **ends)

    def _changed(
        self, at: str, what: str, name: str, evidence: dict[str, Any] | None = None, forced: bool = False, **fields: Any
    ) -> "Registry":
        change = Change(at=at, what=what, name=name, evidence=evidence or {}, forced=forced)
        return replace(self, history=(*self.history, change), **fields)


def chosen(name: str, customer: str, share: float) -> bool:
    """Whether a customer belongs to a version's share: always the same ones, more of them as the share grows."""
    return hash64(f"{name}|{customer}") % _BUCKETS < share * _BUCKETS


def is_version(name: str) -> bool:
    """Whether a model on Triton is a version of BERT, published or the base."""
    return name == BASE or name.startswith(f"{BASE}-")


def folder(repository: Path, name: str) -> Path:
    """The model folder of a version in Triton's repository."""
    return repository / name / "1"


def read(repository: Path) -> Registry:
    """The registry of a repository; where none was ever written, the base serves. `OperatorError` for a broken one."""
    path = repository / FILE
    try:
        registry = msgspec.json.decode(path.read_bytes(), type=Registry)
    except FileNotFoundError:
        return Registry()
    except msgspec.DecodeError as error:
        raise OperatorError(f"{path} is no registry ({error}): restore it, or remove it to serve the base") from error
    if unknown := [name for name in registry.in_use if not registry.knows(name)]:
        raise OperatorError(f"{path} uses `{unknown[0]}`, which it does not list: restore it, or remove it")
    return registry


def write(repository: Path, registry: Registry) -> None:
    """Replace the registry in one step: whoever reads it finds the old one or the new one."""
    repository.mkdir(parents=True, exist_ok=True)
    building = repository / f".{FILE}.{os.getpid()}"
    building.write_bytes(msgspec.json.format(msgspec.json.encode(registry), indent=1) + b"\n")
    building.replace(repository / FILE)
