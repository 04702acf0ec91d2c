"""BG/NBD with Gamma-Gamma, on customers made as the model supposes them."""

from typing import Any

import numpy as np

from inference.baselines.spend import Seen, fit

TRUE = {"r": 0.8, "alpha": 12.0, "a": 0.9, "b": 3.0}


def made(customers: int, days: float, later: float) -> tuple[Seen, "np.ndarray[Any, Any]"]:
    """Customers who buy at rates of their own, leave after a purchase by chance, and spend about as much each time."""
    chance = np.random.default_rng(5)
    rate, leave = chance.gamma(TRUE["r"], 1 / TRUE["alpha"], customers), chance.beta(TRUE["a"], TRUE["b"], customers)
    usual = 15 * 6 / chance.gamma(4, 1, customers)
    rows, spent = [], np.zeros(customers)
    for n in range(customers):
        now, times, alive = 0.0, [], True
        while alive:
            now += chance.exponential(1 / rate[n])
            if now > days + later:
                break
            times.append(now)
            alive = chance.random() > leave[n]
        seen = [t for t in times if t <= days]
        values = chance.gamma(6, usual[n] / 6, len(times))
        rows.append((len(seen), seen[-1] if seen else 0.0, days, float(values[: len(seen)].mean()) if seen else 0.0))
        spent[n] = values[len(seen) :].sum()
    return Seen(*np.array(rows).T), spent


def test_expected_spend_is_right_on_average_and_in_order() -> None:
    seen, spent = made(3000, 180.0, 90.0)
    expected = fit(seen).expected(seen, 90.0)
    assert np.isfinite(expected).all()
    assert (expected >= 0).all()
    assert 0.85 < expected.sum() / spent.sum() < 1.15
    for few, many in ((0, 1), (1, 3), (3, 100)):
        group = (seen.repeats > few) & (seen.repeats <= many)
        assert 0.7 < expected[group].sum() / spent[group].sum() < 1.3
    assert np.corrcoef(expected, spent)[0, 1] > 0.5


def test_customers_who_never_came_back_spend_something_finite() -> None:
    seen = Seen(np.zeros(50), np.zeros(50), np.linspace(1, 100, 50), np.zeros(50))
    assert np.isfinite(fit(seen).expected(seen, 90.0)).all()
