"""Publish, try, promote, roll back and mend versions of BERT while others serve."""

import datetime
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from deploy.local.catalogue import TEMPLATE
from deploy.local.installing import alone
from deploy.local.repository import assemble
from deploy.models import evidence, labels
from deploy.models.probe import probe
from deploy.models.server import Server
from inference import manifest as manifests
from inference import registry
from inference.registry import BASE, Entry, Registry
from schemas.errors import OperatorError
from stream.settings import Settings


class Versions:
    """The versions of one installation: its repository, its registry, its Triton."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._repository = settings.repository.resolve()
        self.server = Server(settings.triton_url)

    def read(self) -> Registry:
        """Who serves."""
        return registry.read(self._repository)

    def folder(self, name: str) -> Path:
        """The model folder of a version."""
        from inference.model import SHIPPED

        if name == BASE:
            return self._settings.model_dir or SHIPPED
        return registry.folder(self._repository, name)

    def version(self, name: str) -> str:
        """The manifest's version of a version; empty where its folder is gone."""
        try:
            return manifests.read(self.folder(name)).version
        except OperatorError:
            return ""

    def publish(self, source: Path, share: float) -> Entry:
        """Lay a trained model out beside the others, load it, have it answer, and try it as the shadow.

        Raises `OperatorError`, and leaves everything as it was, where the folder is not what its manifest says, asks
        for features that are not computed here, is published already, or does not answer.
        """
        manifest = manifests.read(source)
        manifests.verify(source, manifest)
        with alone(self._repository):
            before = self.read()
            taken = {self.version(BASE)} | {entry.version for entry in before.entries}
            if manifest.version in taken:
                raise OperatorError(f"{manifest.version} is published already: give the new model another name")
            name = before.next_name
            assemble(TEMPLATE, source, self._repository, name, self._settings.triton_device)
            try:
                self.server.load(name)
                probe(self._settings.triton_url, name, self.folder(name))
            except OperatorError:
                self._drop(name)
                raise
            entry = Entry(name=name, version=manifest.version, source=str(source.resolve()), at=_now())
            after = before.published(entry, share)
            registry.write(self._repository, self._tidied(after))
        return entry

    def promote(self, name: str, share: float, *, force: bool) -> dict[str, Any]:
        """Let a version serve everybody, or this share of the customers; the evidence that allowed it."""
        with alone(self._repository):
            before = self.read()
            self._must_know(before, name)
            if name == before.serving:
                raise OperatorError(f"{name} serves already")
            found = self.evidence(before, name, missing_is_none=force)
            if not force and not evidence.suffices(found):
                raise OperatorError(f"{name} has not shown that it is no worse ({_words(found)}): wait, or use --force")
            if not self.server.ready(name):
                self.server.load(name)
            probe(self._settings.triton_url, name, self.folder(name))
            if share < 1:
                after = before.tried(name, share, _now(), found, forced=force)
            else:
                after = before.promoted(name, _now(), found, forced=force)
            registry.write(self._repository, after)
        return found

    def roll_back(self) -> Registry:
        """End the canary, or let the version before serve: it is still loaded, so at once."""
        with alone(self._repository):
            after = self.read().rolled_back(_now())
            registry.write(self._repository, after)
        return after

    def evidence(self, known: Registry, name: str, *, missing_is_none: bool = True) -> dict[str, dict[str, Any]]:
        """What labels say of a version beside the serving one."""
        try:
            return evidence.compare(labels.examples(self._settings), self.version(known.serving), self.version(name))
        except OperatorError:
            if missing_is_none:
                return {}
            raise

    def check(self) -> dict[str, str]:
        """Have every version in use answer; one that does not is loaded anew. `good`, `mended`, or what is wrong."""
        found = {}
        for name in self.read().in_use:
            try:
                probe(self._settings.triton_url, name, self.folder(name))
                found[name] = "good"
            except OperatorError:
                found[name] = self._mend(name)
        return found

    def _mend(self, name: str) -> str:
        try:
            self.server.reload(name)
            probe(self._settings.triton_url, name, self.folder(name))
        except OperatorError as error:
            return str(error)
        return "mended"

    def _must_know(self, known: Registry, name: str) -> None:
        if not known.knows(name):
            names = ", ".join((BASE, *(entry.name for entry in known.entries)))
            raise OperatorError(f"there is no version `{name}`: choose from {names}")

    def _tidied(self, known: Registry) -> Registry:
        """Without versions that nobody uses: whoever asked them has long been told of another."""
        for name in [entry.name for entry in known.entries if entry.name not in known.in_use]:
            self._drop(name)
            known = known.without(name)
        return known

    def _drop(self, name: str) -> None:
        # It may never have been loaded, or Triton is away: the folder is what would bring it back.
        with suppress(OperatorError):
            self.server.unload(name)
        shutil.rmtree(self._repository / name, ignore_errors=True)


def _words(found: dict[str, dict[str, Any]]) -> str:
    said = [f"{target}: {one['labels']} labels, {one['verdict']}" for target, one in found.items()]
    return "; ".join(said) or "no labels yet"


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
