"""Who serves changes by rule, on evidence, both ways, and every change is on record."""

import random

from online.contest import BARRED, BLOCK, ENSEMBLE, Contest


def teach(contest: Contest, rng: random.Random, better: str, blocks: int) -> None:
    """Examples on which `better` knows the outcome well, and the other only a little."""
    for n in range(blocks * BLOCK):
        label = rng.random() < 0.4
        said = {name: _says(rng, label, 0.85 if name == better else 0.6) for name in (ENSEMBLE, "bert")}
        contest.learn(said, label, at=n)


def _says(rng: random.Random, label: bool, right: float) -> float:
    p = min(0.99, max(0.01, right + rng.uniform(-0.1, 0.1)))
    return p if label else 1.0 - p


def test_the_better_one_takes_over_and_is_taken_back_when_it_fails() -> None:
    rng, contest = random.Random(3), Contest()
    teach(contest, rng, "bert", 6)
    assert contest.champion == "bert"
    teach(contest, rng, ENSEMBLE, 6)
    assert contest.champion == ENSEMBLE
    swap, back = contest.changes
    assert (swap.what, swap.before, swap.after) == ("swap", ENSEMBLE, "bert")
    assert (back.what, back.before, back.after) == ("roll back", "bert", ENSEMBLE)
    assert 0 < swap.bound < swap.gain
    assert contest.counts == {"swaps": 1.0, "rolled_back": 1.0}
    # What was rolled back is barred, however good it is now.
    teach(contest, rng, "bert", BARRED - 4)
    assert contest.champion == ENSEMBLE
    teach(contest, rng, "bert", 8)
    assert contest.champion == "bert"


def test_equals_do_not_change_places() -> None:
    for seed in range(10):
        rng, contest = random.Random(seed), Contest()
        teach(contest, rng, "neither", 40)
        assert contest.champion == ENSEMBLE


def test_a_written_contest_goes_on_alike() -> None:
    rng, contest = random.Random(3), Contest()
    teach(contest, rng, "bert", 5)
    copy = Contest.load(contest.dump())
    for one in (contest, copy):
        teach(one, random.Random(4), ENSEMBLE, 5)
    assert copy.dump() == contest.dump()
