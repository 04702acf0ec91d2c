"""The check itself: engine and oracle at the same cut-offs of the same log."""

from collections.abc import Callable

from deploy.parity.compare import Result
from deploy.parity.cutoffs import asks, cutoffs
from deploy.parity.engine import answers
from deploy.parity.oracle.features import oracle
from deploy.parity.sources import Log
from schemas.errors import OperatorError
from stream.features.engine import Config


def check(log: Log, number: int, config: Config, progress: Callable[[int, int], None]) -> Result:
    """Compare at `number` cut-offs; `progress` is told how many events of how many the engine has seen."""
    events = log.read()
    if events.is_empty():
        raise OperatorError("the log has no events")
    moments = cutoffs(events, number)
    result = Result()
    seen = 0

    def advance() -> None:
        nonlocal seen
        seen += 1
        progress(seen, events.height)

    for moment, said in zip(moments, answers(log.values(), moments, config, advance), strict=True):
        questions = asks(events, moment)
        reckoned = oracle(events, questions, config.currency, config.delays.session_gap)
        result.add(said.join(questions.select("ask", "customer"), on="customer", how="left"), reckoned)
    return result
