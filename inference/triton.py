"""BERT on Triton, over gRPC: batches by length, a deadline, and a breaker that a real inference closes again."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from tritonclient.grpc import InferenceServerException, aio

from inference.heads import Answers, has_sentiment, parts, sentiment
from inference.model import TOKENIZER_FILE, Model
from inference.scorer import Breaker, Unavailable
from inference.story import review
from schemas.outputs import Parts

MODEL_NAME: Final = "bert"
FULL_QUEUE: Final = "exceeds maximum queue size"
RETRY_S: Final = 0.02
CANARY_S: Final = 2.0

# A channel waits up to 2 minutes before it tries a server again that was away, unless told otherwise.
CHANNEL: Final = [
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
]

# What Triton answers when it, or the model, is broken. INVALID_ARGUMENT is not among them: that is the caller's fault,
# and one odd text must not take BERT away from everyone.
TRIPS: Final = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "NOT_FOUND", "UNKNOWN", "BAD_ANSWER"})


class TritonScorer:
    """A `Scorer` that asks a Triton server; create it inside the event loop that uses it, and `close` it.

    `deadline_s` bounds one `score` call as a whole; `batch` the texts sent at once; `in_flight` the batches that wait
    for an answer, so that a slow server meets a bounded queue. The server's versions are never pinned: whichever it
    serves answers, so that a new one can be loaded under load. `clock` gives seconds that never go back.
    """

    def __init__(
        self,
        url: str,
        model: Model,
        *,
        deadline_s: float = 5.0,
        batch: int = 16,
        in_flight: int = 4,
        name: str = MODEL_NAME,
        breaker: Breaker | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.breaker = breaker or Breaker(clock)
        self._client = aio.InferenceServerClient(url, channel_args=CHANNEL)
        self._model = model
        self._heads = model.manifest.heads
        self._deadline = deadline_s
        self._batch = batch
        self._slots = asyncio.Semaphore(in_flight)
        self._name = name
        self._clock = clock
        self._version = ""
        self._number = ""
        self._recovery: asyncio.Task[None] | None = None

    @property
    def version(self) -> str:
        """The manifest version of the model that answered last; empty until one has."""
        return self._version

    async def score(self, texts: Sequence[str]) -> list[Parts]:
        """What each story tells, in order. Raises `Unavailable` when not all could be had before the deadline."""
        return parts(self._heads, await self._answers(texts))

    async def score_reviews(self, texts: Sequence[str]) -> list[float]:
        """How content each review is, 0 to 1, in order. Raises `Unavailable`, also where the model has no such head."""
        if not has_sentiment(self._heads):
            raise Unavailable("no_sentiment", f"{self._model.version} has no head for it")
        return sentiment(self._heads, await self._answers([review(text) for text in texts]))

    async def close(self) -> None:
        """End the connection and what runs in the background."""
        if self._recovery is not None:
            self._recovery.cancel()
            await asyncio.gather(self._recovery, return_exceptions=True)
        await self._client.close()

    async def _answers(self, texts: Sequence[str]) -> Answers:
        """The heads' answers, [texts, heads], while the breaker lets calls through."""
        if not texts:
            return np.zeros((0, len(self._heads)), dtype=np.float32)
        if not self.breaker.allows():
            self._start_recovery()
            raise Unavailable("breaker_open")
        until = self._clock() + self._deadline
        try:
            ids = await asyncio.to_thread(self._model.encode, texts)
            answers = await self._in_batches(ids, until)
        except Unavailable as error:
            if error.reason.upper() in TRIPS:
                self.breaker.failed()
                self._start_recovery()
            raise
        self.breaker.succeeded()
        return answers

    async def _in_batches(self, ids: list[list[int]], until: float) -> Answers:
        # Texts of like length share a batch, which is padded to its longest: a third more texts a second.
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        groups = [order[start : start + self._batch] for start in range(0, len(order), self._batch)]
        found = await asyncio.gather(*(self._infer([ids[i] for i in group], until) for group in groups))
        answers = np.empty((len(ids), len(self._heads)), dtype=np.float32)
        answers[order] = np.concatenate(found)
        return answers

    async def _infer(self, ids: list[list[int]], until: float) -> Answers:
        inputs = _inputs(ids)
        async with self._slots:
            result = await self._ask(inputs, until)
        answers: Answers | None = result.as_numpy("probabilities")
        wanted = (len(ids), len(self._heads))
        if answers is None or answers.shape != wanted or not np.isfinite(answers).all():
            raise Unavailable("bad_answer", f"not {', '.join(self._heads)} for each text")
        if result.get_response().model_version != self._number:
            self._identify(result.as_numpy("identity"), result.get_response().model_version)
        return answers

    async def _ask(self, inputs: list[Any], until: float) -> Any:
        """One batch's answer; a full queue is no outage, the batch is sent again while there is time."""
        while True:
            left = until - self._clock()
            if left <= 0:
                raise Unavailable("deadline_exceeded")
            try:
                return await self._client.infer(self._name, inputs, outputs=_OUTPUTS, client_timeout=left)
            except InferenceServerException as error:
                if FULL_QUEUE not in str(error).lower():
                    raise _unavailable(error) from error
                await asyncio.sleep(RETRY_S)

    def _identify(self, identity: Any, number: str) -> None:
        """Learn which model answers, and refuse one whose vocabulary is not the one that texts are encoded in."""
        if identity is None or len(identity) == 0:
            raise Unavailable("bad_answer", "no identity")
        version, tokenizer, *heads = (value.decode() for value in identity[0])
        if tokenizer != self._model.manifest.files[TOKENIZER_FILE]:
            raise Unavailable("other_tokenizer", f"{version} on Triton has another vocabulary than FOOTFALL_MODEL_DIR")
        if heads and tuple(heads[0].split(",")) != self._heads:
            raise Unavailable(
                "other_heads", f"{version} on Triton answers with {heads[0]}, not {','.join(self._heads)}"
            )
        self._version, self._number = version, number

    def _start_recovery(self) -> None:
        if not self.breaker.allows() and (self._recovery is None or self._recovery.done()):
            self._recovery = asyncio.create_task(self._recover())

    async def _recover(self) -> None:
        """Probe with a real text until one is answered: readiness stays true when a model's process has died."""
        canary = self._model.encode([""])
        while not self.breaker.allows():
            await asyncio.sleep(self.breaker.wait_s())
            if not self.breaker.probe():
                continue
            self._number = ""
            try:
                await self._infer(canary, self._clock() + CANARY_S)
            except Unavailable:
                self.breaker.failed()
            except Exception:
                self.breaker.failed()
                raise
            else:
                self.breaker.succeeded()


_OUTPUTS: Final = [aio.InferRequestedOutput("probabilities"), aio.InferRequestedOutput("identity")]


def _inputs(ids: list[list[int]]) -> list[Any]:
    """`input_ids` and `attention_mask`, [texts, longest], padded with 0."""
    longest = max(map(len, ids))
    tokens = np.zeros((len(ids), longest), dtype=np.int64)
    mask = np.zeros_like(tokens)
    for row, sequence in enumerate(ids):
        tokens[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1
    inputs = []
    for name, values in (("input_ids", tokens), ("attention_mask", mask)):
        tensor = aio.InferInput(name, list(values.shape), "INT64")
        tensor.set_data_from_numpy(values)
        inputs.append(tensor)
    return inputs


def _unavailable(error: InferenceServerException) -> Unavailable:
    status = str(error.status() or "UNKNOWN").removeprefix("StatusCode.").lower()
    return Unavailable(status, str(error.message()))
