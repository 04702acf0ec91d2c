"""The processes that chaos strikes: a broker of its own, and a fleet of workers for each stage, kept up."""

import os
import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

from deploy.local.broker import Broker
from deploy.local.part import NotReady
from schemas.topics import Topic
from stream.settings import Settings
from tests.integration.workers import Worker

READY_S = 120.0
POLL_S = 0.05


class BrokerProcess:
    """A real broker as a child process; killed, it is started again at once over the same data."""

    def __init__(self, settings: Settings) -> None:
        self._part = Broker(settings)
        self._part.prepare(lambda _: None)
        self._log = settings.data_dir / "broker.log"
        self._process = self._spawn()

    def kill(self) -> None:
        """KILL it, and start the next."""
        self._process.kill()
        self._process.wait()
        self._process = self._spawn()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def until_ready(self) -> None:
        """Return once it takes a record and gives it back."""
        deadline = time.monotonic() + READY_S
        while True:
            try:
                return self._part.probe()
            except NotReady:
                assert self._process.poll() is None, f"the broker ended by itself: see {self._log}"
                assert time.monotonic() < deadline, f"the broker is not ready after {READY_S:.0f} s: see {self._log}"
                time.sleep(POLL_S)

    def stop(self) -> None:
        """End it for good."""
        self._process.kill()
        self._process.wait()

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = self._part.command()
        with self._log.open("ab") as said:
            return subprocess.Popen(
                command.argv,
                env=os.environ | command.env,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


class Fleet:
    """Workers of a stage; `keep` starts again those that ended by themselves, and `crashes` counts them by their words.

    `inputs` are the topics that it reads.
    """

    def __init__(self, shop: Settings, folder: Path, stage: str, inputs: tuple[Topic, ...]) -> None:
        self.stage = stage
        self.inputs = inputs
        self._shop = shop
        self._folder = folder
        self.workers: list[Worker] = []
        self.crashes: Counter[str] = Counter()
        self.started = 0
        folder.mkdir(parents=True)

    def join(self) -> None:
        """One more worker; it need not be ready yet."""
        self.workers.append(Worker(self._shop, self._folder / f"{self.started}.log", self.stage))
        self.started += 1

    def remove(self, worker: Worker) -> int:
        """Stop one in order, for good; its exit code."""
        code = worker.stop()
        self.workers.remove(worker)
        return code

    def kill(self, worker: Worker) -> None:
        """KILL one, and start another."""
        self.workers.remove(worker)
        worker.process.kill()
        worker.process.wait()
        self.join()

    def keep(self) -> None:
        """Start another for each that has ended."""
        for worker in [worker for worker in self.workers if worker.process.poll() is not None]:
            self.workers.remove(worker)
            self.crashes[self._last_words(worker)] += 1
            self.join()

    def stop(self) -> None:
        """End all of them, whatever state they are in."""
        for worker in self.workers:
            worker.process.kill()
            worker.process.wait()
        self.workers.clear()

    def _last_words(self, worker: Worker) -> str:
        said = worker.log.read_text(errors="replace")
        if why := _REASON.search(said):
            return why[1].strip()[:120]
        if "Unable to bootstrap" in said:
            return "no broker answered when it started"
        return f"code {worker.process.returncode}, see {worker.log}"


_REASON = re.compile(r"Crashed reason=(.*)")
