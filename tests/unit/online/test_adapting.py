"""When what customers do turns round, what learns is right again long before the outcome could be read off a window."""

import random

from online.learners.basis import vector
from online.learners.forest import Forest
from online.learners.newton import Newton
from online.metrics import log_loss
from schemas.outputs import Features


def customers(seed: int, n: int, *, turned: bool = False) -> list[tuple[Features, bool]]:
    """Who was silent for long does not come back; turned round, she does."""
    rng = random.Random(seed)
    found = []
    for _ in range(n):
        days = rng.expovariate(1 / 20)
        features: Features = {"days_since_order": days, "orders_30d": float(rng.randrange(4)), "views_7d": rng.random()}
        found.append((features, (rng.random() < min(0.95, days / 40)) != turned))
    return found


def mean_loss(model: Newton | Forest, known: list[tuple[Features, bool]]) -> float:
    return sum(log_loss(label, model.predict(vector(features))) for features, label in known) / len(known)


def test_what_learns_adapts_and_what_is_frozen_does_not() -> None:
    learning: tuple[Newton | Forest, ...] = (Newton(), Forest())
    for model in learning:
        for features, label in customers(1, 2_500):
            model.learn(vector(features), float(label))
        before = mean_loss(model, customers(2, 300))
        frozen = mean_loss(model, customers(3, 300, turned=True))
        for features, label in customers(4, 1_200, turned=True):
            model.learn(vector(features), float(label))
        after = mean_loss(model, customers(3, 300, turned=True))
        assert before < 0.62
        assert after < 0.66 < 0.9 < frozen
