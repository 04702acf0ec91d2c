"""implicit's item-kNN on the sessions of `shop_sessions`: run by an interpreter that has it, prints JSON.

It is fitted in one batch and answers for a session with what is most like its items (BM25), as its authors show it.
"""

import json
import sys
import time
from typing import Any

import numpy as np
from implicit.nearest_neighbours import BM25Recommender
from scipy.sparse import csr_matrix

from deploy.bench.shop_sessions import LENGTH, sessions


def main(items: int, clicks: int, queries: int) -> dict[str, Any]:
    """Seconds to fit, ms to answer with 20 items, MB of its similarities."""
    rows = sessions(items, clicks)
    matrix = csr_matrix(
        (np.ones(rows.size), (np.repeat(np.arange(len(rows)), LENGTH), rows.ravel())), (len(rows), items)
    )
    model = BM25Recommender(K=64, num_threads=1)
    began = time.process_time()
    model.fit(matrix, show_progress=False)
    fitted = time.process_time() - began
    times = []
    for number in np.random.default_rng(1).integers(len(rows), size=queries).tolist():
        asked = time.thread_time()
        model.recommend(number, matrix[number], N=20, filter_already_liked_items=False)
        times.append(time.thread_time() - asked)
    p50, p99 = (np.percentile(times, [50, 99]) * 1e3).tolist()
    kept = model.similarity
    size = kept.data.nbytes + kept.indices.nbytes + kept.indptr.nbytes
    return {
        "fit_s": round(fitted, 1),
        "p50_ms": round(p50, 3),
        "p99_ms": round(p99, 3),
        "index_mb": round(size / 1e6, 1),
    }


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:]))))
