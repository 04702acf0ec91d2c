"""Asking BERT: the version that serves, the canary for its share of the customers, and on the quiet the shadow."""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from inference import registry
from inference.model import Model
from inference.registry import Registry, chosen
from inference.scorer import Scorer, Unavailable
from inference.triton import TritonScorer
from schemas.errors import OperatorError
from schemas.outputs import Parts, Snapshot
from stream import metrics
from stream.pace import Pace
from stream.settings import Settings

log = logging.getLogger("footfall.asking")

WATCH_S = 0.5
# What is on its way to a version when another takes its place is answered this long after its deadline, or never.
LINGER_S = 1.0
# A score waits for its shadow for this long, and only where nothing else waits.
SHADOW_S = 0.25
# Why a batch went without BERT: its answer, or one before it, was still awaited when nobody could wait any longer.
SLOW = "slow"
# A call to a version in a role, in metrics.
SERVING, CANARY, SHADOW = "serving", "canary", "shadow"


@dataclass(frozen=True, slots=True)
class Answer:
    """What BERT says of one snapshot: the story it read, its answer and version; without one, `fallback` says why."""

    story: str
    version: str
    parts: Parts | None
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of BERT: how it reads a snapshot, and who scores the text."""

    name: str
    model: Model
    scorer: Scorer

    def text(self, snapshot: Snapshot) -> str:
        """The story that this version reads."""
        return self.model.text(snapshot)


class Bert:
    """The versions in use; they change while it works, as the registry says.

    `serving` always is one; `refused` counts changes that could not be followed. A canary that does not answer is
    stood in for by the serving version; a shadow is dropped at the first sign of pressure, so that it costs no score.
    What is not answered in the time that somebody has goes without an answer; as long as that call is not over, so does
    what comes next: it would only wait behind it.
    """

    def __init__(self, settings: Settings) -> None:
        self.pace = Pace(settings.score_batch)
        self.shadow_pace = Pace(settings.score_batch)
        self.refused = 0
        self._settings = settings
        self._repository = settings.repository
        self._registry = Registry()
        self._seen = -1
        self._versions: dict[str, Version] = {}
        self._retired: set[asyncio.Task[None]] = set()
        self._overdue: set[asyncio.Task[list[Parts]]] = set()

    @property
    def serving(self) -> Version:
        """Who answers for everybody but the canary's customers."""
        return self._versions[self._registry.serving]

    @property
    def shadow(self) -> Version | None:
        """Who is tried on the quiet."""
        return self._versions.get(self._registry.shadow)

    async def open(self) -> None:
        """Read the registry and connect. Raises `OperatorError` where the serving version cannot be had."""
        self._seen = self._stamp()
        await self._change(registry.read(self._repository))

    def use(self, version: Version) -> None:
        """Have this version at hand, and let it serve until the registry says otherwise."""
        self._versions[version.name] = version
        self.follow(Registry(serving=version.name))

    def follow(self, known: Registry) -> None:
        """Ask as this registry says; the versions that it names are at hand."""
        self._registry = known
        metrics.BERT.clear()
        for role, name in ((SERVING, known.serving), (CANARY, known.canary), (SHADOW, known.shadow)):
            if name in self._versions:
                metrics.BERT.labels(role, self._versions[name].model.version).set(1)

    async def watch(self) -> None:
        """Follow the registry until cancelled; a change that cannot be followed leaves things as they are."""
        while True:
            metrics.BREAKER.set(not _allows(self.serving.scorer))
            # Looked at before it is read: what is written in between is seen the next time.
            seen, self._seen = self._seen, self._stamp()
            if seen != self._seen:
                try:
                    await self._change(registry.read(self._repository))
                except (OperatorError, OSError) as error:
                    self.refused += 1
                    log.error("the registry of models is not followed: %s", error)
            await asyncio.sleep(WATCH_S)

    async def close(self) -> None:
        """Close every connection."""
        for task in (*self._retired, *self._overdue):
            task.cancel()
        await asyncio.gather(*self._retired, *self._overdue, return_exceptions=True)
        await asyncio.gather(*(_close(version) for version in self._versions.values()))

    async def ask(self, snapshots: Sequence[Snapshot], within_s: float | None = None) -> list[Answer]:
        """An answer for each snapshot, in order; none that takes longer than `within_s` (None: there is time)."""
        serving, canary, share = self.serving, self._versions.get(self._registry.canary), self._registry.canary_share
        tried = [canary is not None and chosen(canary.name, one.customer, share) for one in snapshots]
        ours = [one for one, is_tried in zip(snapshots, tried, strict=True) if not is_tried]
        theirs = [one for one, is_tried in zip(snapshots, tried, strict=True) if is_tried]
        served, others = await asyncio.gather(
            self._ask(serving, SERVING, ours, within_s), self._ask(canary or serving, CANARY, theirs, within_s)
        )
        if theirs and others[0].fallback:
            others = await self._ask(serving, SERVING, theirs, within_s)
        streams = {False: iter(served), True: iter(others)}
        return [next(streams[is_tried]) for is_tried in tried]

    def unasked(self, snapshots: Sequence[Snapshot], reason: str) -> list[Answer]:
        """No answers, for this reason."""
        return self._without(self.serving, snapshots, reason)

    async def ask_shadow(self, snapshots: Sequence[Snapshot], *, quiet: bool) -> dict[str, Answer]:
        """The shadow's answers by snapshot's id, as far as they can be had in no time; none unless it is `quiet`."""
        shadow, share = self.shadow, self._registry.shadow_share
        if shadow is None:
            return {}
        asked = [one for one in snapshots if chosen(shadow.name, one.customer, share)]
        if not quiet:
            metrics.SHADOW_DROPPED.labels("busy").inc(len(asked))
            return {}
        size = self.shadow_pace.batch
        if len(asked) > size:
            metrics.SHADOW_DROPPED.labels("pace").inc(len(asked) - size)
        asked = asked[:size]
        try:
            async with asyncio.timeout(SHADOW_S):
                answers = await self._ask(shadow, SHADOW, asked)
        except TimeoutError:
            self.shadow_pace.failed()
            metrics.SHADOW_DROPPED.labels("slow").inc(len(asked))
            return {}
        return {one.id: answer for one, answer in zip(asked, answers, strict=True) if answer.parts is not None}

    async def _ask(
        self, version: Version, role: str, snapshots: Sequence[Snapshot], within_s: float | None = None
    ) -> list[Answer]:
        if not snapshots:
            return []
        if within_s is not None and self._overdue:
            return self._without(version, snapshots, SLOW, role)
        texts = [version.text(snapshot) for snapshot in snapshots]
        call = asyncio.create_task(self._call(version, role, texts))
        try:
            await asyncio.wait({call}, timeout=within_s)
        finally:
            if not call.done():
                # Who waited no longer was cancelled, or had no more time.
                self._leave(call, cancelled=within_s is None)
        if not call.done():
            return self._without(version, snapshots, SLOW, role)
        try:
            parts = call.result()
        except Unavailable as error:
            return self._without(version, snapshots, error.reason, role)
        return [Answer(text, version.model.version, part) for text, part in zip(texts, parts, strict=True)]

    async def _call(self, version: Version, role: str, texts: Sequence[str]) -> list[Parts]:
        """Ask, and learn from how long it takes how much to ask for at a time."""
        pace = self.shadow_pace if role == SHADOW else self.pace
        began = time.perf_counter()
        try:
            parts = await version.scorer.score(texts)
        except Unavailable:
            pace.failed()
            raise
        took = time.perf_counter() - began
        pace.answered(len(texts), took)
        metrics.TRITON_SECONDS.labels(role, version.model.version).observe(took)
        if role == SERVING:
            metrics.SCORE_BATCH.observe(len(texts))
        return parts

    def _leave(self, call: "asyncio.Task[list[Parts]]", *, cancelled: bool) -> None:
        """Nobody waits for a call any longer; its outcome still tells the breaker and the pace."""
        if cancelled:
            call.cancel()
            return
        self._overdue.add(call)
        call.add_done_callback(self._overdue.discard)
        call.add_done_callback(_heard)

    @staticmethod
    def _without(version: Version, snapshots: Sequence[Snapshot], reason: str, role: str = SERVING) -> list[Answer]:
        if role == SERVING:
            metrics.FALLBACKS.labels(reason).inc(len(snapshots))
        else:
            metrics.UNANSWERED.labels(role, reason).inc(len(snapshots))
        return [Answer(version.text(snapshot), version.model.version, None, reason) for snapshot in snapshots]

    def _stamp(self) -> int:
        with suppress(FileNotFoundError):
            return (self._repository / registry.FILE).stat().st_mtime_ns
        return 0

    async def _change(self, new: Registry) -> None:
        wanted = {name for name in (new.serving, new.canary, new.shadow) if name}
        url, deadline = self._settings.triton_url, self._settings.triton_deadline_s
        for name in wanted - self._versions.keys():
            try:
                model = await asyncio.to_thread(self._model, name)
            except OperatorError as error:
                if name == new.serving:
                    raise
                log.error("%s is not tried: %s", name, error)
                continue
            self._versions[name] = Version(name, model, TritonScorer(url, model, deadline_s=deadline, name=name))
        # Everything is there before anybody is sent to it, and what is sent already still finds its scorer.
        self.follow(new)
        for name in self._versions.keys() - wanted:
            task = asyncio.create_task(_linger(self._versions.pop(name), LINGER_S + deadline))
            self._retired.add(task)
            task.add_done_callback(self._retired.discard)

    def _model(self, name: str) -> Model:
        # The base may serve from a Triton that others fill: its folder is the one that the settings name.
        return Model.load(self._settings.model_dir if name == registry.BASE else self._folder(name))

    def _folder(self, name: str) -> Path:
        return registry.folder(self._repository, name)


def _heard(call: "asyncio.Task[list[Parts]]") -> None:
    """Take note of how an overdue call ended, so that nobody else is told."""
    if not call.cancelled() and (error := call.exception()) is not None and not isinstance(error, Unavailable):
        log.error("BERT could not be asked: %s", error)


def _allows(scorer: Scorer) -> bool:
    return not isinstance(scorer, TritonScorer) or scorer.breaker.allows()


async def _close(version: Version) -> None:
    if isinstance(version.scorer, TritonScorer):
        await version.scorer.close()


async def _linger(version: Version, seconds: float) -> None:
    try:
        await asyncio.sleep(seconds)
    finally:
        await _close(version)
