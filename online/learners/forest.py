"""An adaptive random forest whose trees are arrays of numbers: it can be written as plain numbers, and stays small."""

import math
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct

from online.learners.basis import VALUES, Scale, Vector
from online.learners.numbers import Array, from_text, to_text

TREES: Final = 10
SOWN: Final = 30
NODES: Final = 63
WATCHED: Final = 12
GRACE: Final = 150
SURE: Final = 1e-3
TIE: Final = 0.03
TRUST: Final = 10.0
# A scaled value's bin: below the first edge, between, above the last; the last bin is for what is missing.
EDGES: Final = np.array([-1.6, -1.1, -0.75, -0.45, -0.2, 0.0, 0.2, 0.45, 0.75, 1.1, 1.6])
BINS: Final = len(EDGES) + 2
# A tree whose loss of late (1 / 300) exceeds its loss of long (1 / 5000) by so much has outlived what it learned.
RECENT: Final = 1 / 300
LONG: Final = 1 / 5_000
WORSE: Final = 0.12
_MASK: Final = (1 << 64) - 1
# Poisson(1), cumulated: how often a tree sees an example (online bagging, Oza 2005).
_POISSON: Final = np.cumsum([math.exp(-1) / math.factorial(n) for n in range(6)])


class _TreeState(Struct, kw_only=True, forbid_unknown_fields=True):
    born: int
    recent: float
    long: float
    feature: list[int]
    cut: list[int]
    child: list[int]
    watched: str
    mass: str
    counts: str


class _State(Struct, kw_only=True, forbid_unknown_fields=True):
    learned: int
    replaced: int
    scale: list[str]
    trees: list[_TreeState]


def mixed(*parts: int) -> int:
    """64 bits that look random, the same for the same numbers (splitmix64): nothing of chance need be kept."""
    z = 0
    for part in parts:
        z = (z + part + 0x9E3779B97F4A7C15) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        z ^= z >> 31
    return z


class _Tree:
    """A Hoeffding tree over bins: node 0 is the root, a leaf has child 0, a node's second child follows its first.

    A leaf counts both labels by bin of its `WATCHED` features, which are drawn by chance of what varies.
    """

    def __init__(self, born: int, varied: Array) -> None:
        self.born = born
        self.recent = self.long = 0.0
        self.feature, self.cut, self.child = [0], [0], [0]
        self.mass = np.ones((NODES, 2))
        self.counts = np.zeros((NODES, WATCHED, BINS, 2), dtype=np.float32)
        self.watched = np.zeros((NODES, WATCHED), dtype=np.uint8)
        self.watched[0] = _draw(born, 0, varied)

    def leaf(self, bins: list[int]) -> int:
        """Where the bins lead to."""
        node = 0
        while child := self.child[node]:
            node = child + (bins[self.feature[node]] > self.cut[node])
        return node

    def predict(self, leaf: int) -> float:
        """The share of the label in a leaf."""
        no, yes = self.mass[leaf].tolist()
        return float(yes / (no + yes))

    def learn(self, leaf: int, bins: Array, label: int, times: int, varied: Array) -> None:
        """Count an example `times` in its leaf, and split that when one feature is surely the best."""
        before = self.mass[leaf].sum()
        self.mass[leaf, label] += times
        if len(self.child) + 2 > NODES:
            return
        self.counts[leaf, _RANGE, bins[self.watched[leaf]], label] += times
        if before // GRACE != (before + times) // GRACE:
            self._split(leaf, varied)

    def dump(self) -> dict[str, Any]:
        """The state as plain numbers; of the counts, those of leaves that may still split."""
        size = len(self.child)
        return {
            "born": self.born,
            "recent": self.recent,
            "long": self.long,
            "feature": list(self.feature),
            "cut": list(self.cut),
            "child": list(self.child),
            "watched": to_text(self.watched[:size]),
            "mass": to_text(self.mass[:size]),
            "counts": to_text(self.counts[_open(self)]),
        }

    def _split(self, leaf: int, varied: Array) -> None:
        below = self.counts[leaf].cumsum(axis=1)[:, :-1].astype(np.float64)
        whole = self.counts[leaf].sum(axis=1, keepdims=True).astype(np.float64)
        n = whole.sum(axis=-1)
        above = whole - below
        after = (below.sum(-1) * _entropy(below) + above.sum(-1) * _entropy(above)) / np.maximum(n, 1.0)
        gains = np.where((below.sum(-1) >= 5) & (above.sum(-1) >= 5), _entropy(whole) - after, 0.0)
        best = gains.max(axis=1)
        second, first = np.sort(best)[-2:]
        bound = math.sqrt(math.log(1 / SURE) / (2 * max(1.0, float(n[0, 0]))))
        if first <= 1e-3 or (first - second < bound and bound > TIE):
            return
        which = int(best.argmax())
        cut = int(gains[which].argmax())
        child = len(self.child)
        self.feature[leaf], self.cut[leaf], self.child[leaf] = int(self.watched[leaf][which]), cut, child
        for side, counted in enumerate((below[which, cut], above[which, cut])):
            self.feature.append(0)
            self.cut.append(0)
            self.child.append(0)
            prior = self.mass[leaf] / self.mass[leaf].sum()
            self.mass[child + side] = counted + TRUST * prior
            self.counts[child + side] = 0.0
            self.watched[child + side] = _draw(self.born, child + side, varied)


_RANGE: Final = np.arange(WATCHED)


def _draw(born: int, node: int, varied: Array) -> Array:
    """`WATCHED` features by chance, those that vary before those that do not."""
    keys = np.array([mixed(born, node, n) >> 1 for n in range(len(VALUES))], dtype=np.int64)
    return np.lexsort((keys, ~varied))[:WATCHED]


def _entropy(counts: Array) -> Array:
    p = counts[..., 1] / np.maximum(counts.sum(axis=-1), 1e-9)
    q = np.clip(p, 1e-9, 1.0 - 1e-9)
    found: Array = -(q * np.log2(q) + (1.0 - q) * np.log2(1.0 - q))
    return found


class Forest:
    """`TREES` Hoeffding trees of at most `NODES` nodes, each over examples and features drawn for it.

    They are planted after `SOWN` examples, when it is seen what varies. A tree that has become worse than it used to
    be begins anew. Source: Gomes et al. 2017, Adaptive random forests; with histograms over bins in place of Gaussians,
    and two running means in place of ADWIN.
    """

    def __init__(self) -> None:
        self.learned = 0
        self.replaced = 0
        self._scale = Scale()
        self._trees: list[_Tree] = []

    def predict(self, values: Vector) -> float:
        """The target's probability; changes nothing."""
        if not self._trees:
            return 0.5
        bins = self._bins(values).tolist()
        return sum(tree.predict(tree.leaf(bins)) for tree in self._trees) / TREES

    def learn(self, values: Vector, outcome: float) -> None:
        """Take in one example."""
        self._scale.learn(values)
        bins = self._bins(values)
        listed, label, varied = bins.tolist(), int(outcome > 0.5), self._scale.var > 0.0
        for number, tree in enumerate(self._trees):
            leaf = tree.leaf(listed)
            p = tree.predict(leaf)
            loss = -math.log(max(1e-3, p if label else 1.0 - p))
            age = self.learned + 2
            tree.recent += (loss - tree.recent) * max(RECENT, 1 / age)
            tree.long += (loss - tree.long) * max(LONG, 1 / age)
            chance = mixed(number, self.learned) / 2.0**64
            times = int(np.searchsorted(_POISSON, chance))
            if tree.recent > tree.long + WORSE and self.learned > 1 / RECENT:
                self.replaced += 1
                fresh = _Tree(mixed(TREES, self.replaced) >> 12, varied)
                fresh.recent = fresh.long = tree.recent
                self._trees[number] = tree = fresh
                leaf = 0
            if times:
                tree.learn(leaf, bins, label, times, varied)
        self.learned += 1
        if self.learned == SOWN:
            self._trees = [_Tree(number + 1, varied) for number in range(TREES)]

    def dump(self) -> dict[str, Any]:
        """The state as plain numbers."""
        scale = self._scale
        return {
            "learned": self.learned,
            "replaced": self.replaced,
            "scale": [to_text(part) for part in (scale.count, scale.mean, scale.var)],
            "trees": [tree.dump() for tree in self._trees],
        }

    @classmethod
    def load(cls, state: object) -> "Forest":
        """A forest from `dump`'s state; raises ValueError for anything else."""
        try:
            held = msgspec.convert(state, _State)
        except msgspec.ValidationError as error:
            raise ValueError(f"not a forest's state: {error}") from error
        if (
            held.learned < 0
            or held.replaced < 0
            or len(held.trees) != (TREES if held.learned >= SOWN else 0)
            or len(held.scale) != 3
        ):
            raise ValueError("the forest's state has numbers out of range")
        forest = cls()
        forest.learned, forest.replaced = held.learned, held.replaced
        parts = zip(("count", "mean", "var"), held.scale, (0.0, -1e15, 0.0), strict=True)
        read = (from_text(text, "float64", len(VALUES), name, low, 1e15) for name, text, low in parts)
        forest._scale = Scale.of(*read)
        forest._trees = [_load(tree) for tree in held.trees]
        return forest

    def _bins(self, values: Vector) -> Array:
        found = np.searchsorted(EDGES, self._scale(values), side="right")
        return np.where(np.isnan(values), BINS - 1, found)


def _open(tree: _Tree) -> list[int]:
    """The leaves that may still split: whose counts matter."""
    if len(tree.child) + 2 > NODES:
        return []
    return [node for node, child in enumerate(tree.child) if not child]


def _load(held: _TreeState) -> _Tree:
    size = len(held.child)
    if not 1 <= size <= NODES or size % 2 == 0 or len(held.feature) != size or len(held.cut) != size:
        raise ValueError("the forest's state has a tree that is none")
    if not 0 <= held.born <= _MASK or not all(0 <= loss < 100 for loss in (held.recent, held.long)):
        raise ValueError("the forest's state has numbers out of range")
    # Every node but the root has one parent, before it: no walk can go round, or out.
    children = sorted(child for child in held.child if child)
    forward = all(not child or node < child for node, child in enumerate(held.child))
    inside = all(0 <= f < len(VALUES) for f in held.feature) and all(0 <= cut < BINS for cut in held.cut)
    if children != list(range(1, size, 2)) or not forward or not inside:
        raise ValueError("the forest's state has a tree that is none")
    tree = _Tree(held.born, np.ones(len(VALUES), dtype=bool))
    tree.recent, tree.long = held.recent, held.long
    tree.feature, tree.cut, tree.child = list(held.feature), list(held.cut), list(held.child)
    tree.mass[:size] = from_text(held.mass, "float64", size * 2, "mass", 1e-9, 1e15).reshape(size, 2)
    leaves = _open(tree)
    counts = from_text(held.counts, "float32", len(leaves) * WATCHED * BINS * 2, "counts", 0.0, 1e9)
    tree.counts[leaves] = counts.reshape(len(leaves), WATCHED, BINS, 2)
    watched = from_text(held.watched, "uint8", size * WATCHED, "watched features", 0, len(VALUES) - 1)
    tree.watched[:size] = watched.reshape(size, WATCHED)
    return tree
