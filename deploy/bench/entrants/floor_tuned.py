"""floor_tuned: the floor without the second that librdkafka waits, by default, once its queue is full."""

from deploy.bench.entrants import floor

if __name__ == "__main__":
    floor.main(**{"fetch.queue.backoff.ms": 10})
