"""A query's terms, in any script: its words, and of scripts that are written without blanks its pairs of characters.

Source: Manning, Raghavan, Schütze 2008, Introduction to Information Retrieval, 2.2.1 (character n-grams for Chinese).
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from schemas.hashing import hash64

MOST: Final = 16
LONGEST: Final = 160
# Han, kana, Bopomofo; Thai, Lao, Tibetan, Burmese, Khmer.
_DENSE: Final = re.compile(
    "[\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff]+"
)


def terms(query: str) -> list[str]:
    """The terms of a query, the whole of it first, at most `MOST`: as hashes, for a query may name a person.

    >>> len(terms("green tea")), terms("Green  TEA!") == terms("green tea"), terms(" ")
    (3, True, [])
    >>> set(terms("绿茶")) < set(terms("日本绿茶杯"))
    False
    >>> set(terms("绿茶")[1:]) < set(terms("日本绿茶杯"))
    True
    """
    words = list(_words(unicodedata.normalize("NFKC", query[:LONGEST]).casefold()))
    if not words:
        return []
    return [f"{hash64(term):016x}" for term in dict.fromkeys(["=" + " ".join(words), *_pairs(words)])][:MOST]


def _words(text: str) -> Iterator[str]:
    """Runs of letters, marks and digits; of anything else that there is, where there are none."""
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in text)
    yield from kept.split() or text.split()


def _pairs(words: list[str]) -> Iterator[str]:
    for word in words:
        place = 0
        for run in _DENSE.finditer(word):
            if run.start() > place:
                yield word[place : run.start()]
            dense = run.group()
            yield from (dense[n : n + 2] for n in range(max(1, len(dense) - 1)))
            place = run.end()
        if place < len(word):
            yield word[place:]
