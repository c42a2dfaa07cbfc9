"""The nets of the last chapters with other seeds than their pages' own.

    python benchmarks/seeds.py rnn gru lstm --seeds 4

trains each of the models named, by its recipe below, once for each seed from 0 on: one
process for each, of one thread. What it finds goes to book/seeds.json, which the pages
read: the loss on dev, the loss on the dev names that train lacks, seconds of CPU. Other
models in that file stay as they are. Without names, it trains all.
"""

import argparse
import importlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import process_time
from typing import Any

FILE = Path(__file__).parents[1] / "book" / "seeds.json"

# Class, sizes and training of each model; chapters show those of their own. Words are
# drawn in passes, or as `draw` says; the tree gets single contexts. The recurrent
# matrix starts orthogonal, or as `start` says. `between` is the share of the state that
# is dropped on its way to the next step.
_RNN = ("charlm.recurrent:RNN", {"n_hidden": 256, "dropout": 0.2})
_RNN_RECIPE = {"steps": 1600, "batch_size": 256, "rate": 0.01, "decay": 0.1}
_GRU = ("charlm.recurrent:GRU", {"n_hidden": 160, "dropout": 0.2})
_GRU_RECIPE = {"steps": 1000, "batch_size": 256, "rate": 0.02, "decay": 0.1}
RECIPES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "rnn": (*_RNN, _RNN_RECIPE),
    "rnn, normal start": (*_RNN, {**_RNN_RECIPE, "start": "normal"}),
    "gru": (*_GRU, _GRU_RECIPE),
    "lstm": (
        "charlm.recurrent:LSTM",
        {"n_hidden": 144, "dropout": 0.3},
        {"steps": 1600, "batch_size": 256, "rate": 0.03, "decay": 0.15},
    ),
    "gru, no dropout": (_GRU[0], {"n_hidden": 160, "dropout": 0.0}, _GRU_RECIPE),
    "gru, dropout between": (
        _GRU[0],
        {"n_hidden": 160, "dropout": 0.0},
        {**_GRU_RECIPE, "between": 0.2},
    ),
    "gru, with replacement": (*_GRU, {**_GRU_RECIPE, "draw": "with replacement"}),
    "gru, one length": (*_GRU, {**_GRU_RECIPE, "draw": "one length"}),
    "tree": (
        "charlm.memoized:MemoizedWaveNet",
        {"n_embd": 24, "n_hidden": 128, "block_size": 8},
        {"steps": 1200, "batch_size": 768, "rate": 0.012, "decay": 0.4},
    ),
}


def of_one_length(
    X: Any, Y: Any, batch_size: int, *, generator: Any, steps: int
) -> Iterator[tuple[Any, Any]]:
    """Yield batches of words of one length, as often as such words occur in train."""
    import torch

    first = (X != 0).any(1).logical_not().nonzero().squeeze(1)  # (W,)
    size = torch.diff(first, append=first.new_tensor([len(X)]))
    for _ in range(steps):
        n = size[torch.randint(len(size), (1,), generator=generator)]
        alike = first[size == n]
        drawn = alike[torch.randint(len(alike), (batch_size,), generator=generator)]
        at = (drawn[:, None] + torch.arange(int(n))).flatten()
        yield X[at], Y[at]


def start_normal(net: Any, seed: int) -> None:
    """Draw the recurrent matrix anew, from normal numbers that keep mean lengths."""
    import torch

    g = torch.Generator().manual_seed(seed)
    W = net.hidden.weight
    torch.nn.init.normal_(W, std=W.shape[1] ** -0.5, generator=g)


def drop_between(net: Any, share: float) -> None:
    """Let a net drop a share of its state at each step, in train mode."""
    from torch.nn.functional import dropout

    cell = net.cell
    net.cell = lambda x, state: cell(x, dropout(state, share, net.training))


def train(name: str, seed: int) -> dict[str, float]:
    """Train a model once; return what the pages read."""
    import torch

    from charlm.data import batches, load_words, soft_targets, split_words, windows
    from charlm.evaluate import evaluate, n_parameters
    from charlm.memory import by_seen
    from charlm.prefixes import batches_of_words, passes_of_words
    from charlm.train import adamw, cosine, training_steps
    from charlm.vocab import Vocabulary

    torch.set_num_threads(1)
    words = load_words()
    vocab = Vocabulary.from_words(words)
    known, dev, _ = split_words(words)

    network, sizes, recipe = RECIPES[name]
    module, _, kind = network.partition(":")
    torch.manual_seed(seed)  # dropout draws from here
    make = getattr(importlib.import_module(module), kind)
    net = make(len(vocab), **sizes, generator=torch.Generator().manual_seed(seed))
    if recipe.get("start") == "normal":
        start_normal(net, seed + 2)
    if share := recipe.get("between"):
        drop_between(net, share)
    X, Y = windows(known, vocab, net.block_size)
    P = soft_targets(X, Y, len(vocab))
    draw = passes_of_words if getattr(net, "whole_words", False) else batches
    others = {"with replacement": batches_of_words, "one length": of_one_length}
    draw = others.get(recipe.get("draw", ""), draw)
    steps, rate = recipe["steps"], recipe["rate"]
    drawn = draw(
        X,
        P,
        recipe["batch_size"],
        generator=torch.Generator().manual_seed(seed + 1),
        steps=steps,
    )
    start = process_time()
    schedule = cosine(rate, steps, steps // 10)
    for _ in training_steps(net, adamw(net, rate, recipe["decay"]), drawn, schedule):
        pass
    seconds = process_time() - start
    unseen = by_seen(net, dev, known, vocab)[1]
    assert unseen is not None
    return {
        "seed": seed,
        "dev": round(evaluate(net, dev, vocab).loss, 5),
        "unseen": round(unseen.loss, 5),
        "seconds": round(seconds, 1),
        "parameters": n_parameters(net),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", help=f"of {', '.join(RECIPES)}")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    given = parser.parse_args()
    if unknown := set(given.models) - set(RECIPES):
        parser.error(f"no recipe for {', '.join(sorted(unknown))}")
    os.environ["OMP_NUM_THREADS"] = "1"
    work = [(n, s) for n in given.models or RECIPES for s in range(given.seeds)]
    found: dict[str, list[dict[str, float]]] = {}
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool:
        for (name, _), result in zip(work, pool.map(train, *zip(*work))):
            print(name, result, flush=True)
            found.setdefault(name, []).append(result)
    kept = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    text = json.dumps(dict(sorted((kept | found).items())), indent=1)
    text = text.replace("\n   ", " ").replace("\n  }", " }")  # a seed is a line
    FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
