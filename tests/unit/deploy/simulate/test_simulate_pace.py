import threading
from typing import cast

import pytest

from deploy.simulate.customer import DAY_MS
from deploy.simulate.pace import Clock, Driver
from deploy.simulate.storefront import Storefront
from stream.kafka.producer import Producer

NOW = 1_770_000_000_000


class Recorder:
    """A producer whose polling is the passing of time: `now` is monotonic seconds."""

    def __init__(self, stop_at: float) -> None:
        self.now = 50.0
        self.sent: list[tuple[float, bytes]] = []
        self.flushed = False
        self.stop = threading.Event()
        self._stop_at = stop_at

    def poll(self, timeout: float) -> None:
        self.now += timeout
        if self.now >= self._stop_at:
            self.stop.set()

    def send(self, _topic: str, _key: bytes, value: bytes) -> None:
        self.sent.append((self.now, value))

    def flush(self) -> None:
        self.flushed = True


@pytest.mark.parametrize("seconds", [0.0, 10.0, 69.0, 70.0, 71.0, 500.0])
def test_time_is_continuous_and_real_from_then_on(seconds: float) -> None:
    clock = Clock(NOW, 60, 70.0)
    if seconds >= 70:
        assert clock.due(NOW + int(seconds * 1000)) == seconds
    else:
        at = clock.start + int(seconds / 70 * (60 * DAY_MS + 70_000))
        assert clock.due(at) == pytest.approx(seconds, abs=1e-3)
        assert at <= NOW + seconds * 1000


def test_history_first_then_live_and_nothing_lost_at_the_end() -> None:
    recorder = Recorder(stop_at=50.0 + 100.0)
    driver = Driver(
        Storefront(3, customers=50),
        cast(Producer, recorder),
        seed=3,
        fast_s=70.0,
        broken=0.05,
        monotonic=lambda: recorder.now,
        now_ms=lambda: NOW,
    )
    driver.run(recorder.stop)
    assert recorder.flushed
    assert driver.live
    assert driver.sent + driver.broken.total() == len(recorder.sent)
    assert driver.broken.total() > 0
    assert 0 <= driver.at - NOW <= 101_000
    history = [at for at, _ in recorder.sent if at < 50.0 + 69.0]
    assert len(history) > 0.8 * len(recorder.sent)
