"""Runs in an environment of its own, as a script: LightGBM at every cut-off, and BERT's answers. Knows only numpy.

python batch_child.py lightgbm GIVEN.npz ANSWERED.npz
python batch_child.py bert GIVEN.npz ANSWERED.npz MODEL.onnx
"""

import sys
import time
from importlib import import_module
from typing import Any

import numpy as np

ROUNDS = 150
OPTIONS = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 31, "min_data_in_leaf": 50, "verbose": -1,
    "num_threads": 1, "feature_fraction": 0.7, "bagging_fraction": 0.8, "bagging_freq": 1, "seed": 7,
}  # fmt: skip
BATCH = 32


def lightgbm(given: Any) -> dict[str, Any]:
    """Probabilities of each row from the first tested cut-off on (NaN before), `once` and `retrained`, per target.

    At a cut-off it is trained on what has matured by then: rows whose `at` plus the target's horizon is not after it.
    """
    gbm = import_module("lightgbm")
    features, at = given["features"], given["at"]
    cutoffs = [c for c in np.unique(at) if c >= given["test_from"]]
    answered: dict[str, Any] = {}
    for target in given["targets"]:
        labels, horizon = given[f"label.{target}"], given[f"horizon.{target}"]
        for mode in ("once", "retrained"):
            found = np.full(len(at), np.nan)
            spent, model = 0.0, None
            for cutoff in cutoffs:
                if model is None or mode == "retrained":
                    began = time.process_time()
                    known = at + horizon <= cutoff
                    model = gbm.train(OPTIONS, gbm.Dataset(features[known], labels[known]), ROUNDS)
                    spent += time.process_time() - began
                found[at == cutoff] = model.predict(features[at == cutoff], num_threads=1)
            answered[f"{mode}.{target}"] = found
            answered[f"seconds.{mode}.{target}"] = np.array(spent)
    return answered


def bert(given: Any, model: str) -> dict[str, Any]:
    """The model's answers, [texts, heads], to token ids that are padded with -1, [texts, tokens]."""
    runtime = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    ids = given["ids"]
    lengths = (ids >= 0).sum(axis=1)
    order = np.argsort(lengths, kind="stable")
    answers: Any = None
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        tokens = ids[rows, : lengths[rows].max()].astype(np.int64)
        mask = (tokens >= 0).astype(np.int64)
        found = session.run(None, {"input_ids": tokens * mask, "attention_mask": mask})[0]
        if answers is None:
            answers = np.zeros((len(ids), found.shape[1]))
        answers[rows] = found
    return {"answers": answers}


if __name__ == "__main__":
    what, source, target, *more = sys.argv[1:]
    with np.load(source) as held:
        np.savez(target, **(lightgbm(held) if what == "lightgbm" else bert(held, more[0])))
