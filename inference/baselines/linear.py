"""Logistic and linear regression, on scaled inputs or on the characters of a text."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def regressed(
    inputs: Sequence[Mapping[str, float]],
    labels: "np.ndarray[Any, Any]",
    tested: Sequence[Mapping[str, float]],
    *,
    amounts: bool,
) -> "np.ndarray[Any, Any]":
    """Predictions for `tested`: probabilities, or amounts (ridge regression on their logs). A missing input is 0."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = Ridge(1.0) if amounts else LogisticRegression(C=0.1, max_iter=300)
    line = make_pipeline(DictVectorizer(sparse=False), StandardScaler(), model)
    line.fit(inputs, np.log1p(labels) if amounts else labels > 0.5)
    told: np.ndarray[Any, Any] = np.expm1(line.predict(tested)) if amounts else line.predict_proba(tested)[:, 1]
    return told


def of_characters(
    texts: Sequence[str], labels: "np.ndarray[Any, Any]", tested: Sequence[str]
) -> "np.ndarray[Any, Any]":
    """Probabilities by logistic regression on one to three characters in a row (tf-idf): works in any script."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    grams = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=3, max_features=100_000, sublinear_tf=True)
    line = make_pipeline(grams, LogisticRegression(C=4.0, max_iter=300))
    line.fit(texts, labels > 0.5)
    told: np.ndarray[Any, Any] = line.predict_proba(tested)[:, 1]
    return told
