"""Part 7's GPT over seeds, and without its parts, for the tables of that page.

    python benchmarks/ablations.py        about an hour of CPU

trains each design from each seed, on one thread each, and writes book/ablations.json:
for each design its recipe, and for each seed the losses on dev and on those of its
names that train does not have, and the seconds of CPU. `--only gpt` trains some of
them anew; `--steps 20` tries the script.
"""

import argparse
import json
import math
import os
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported

import torch
import torch.nn.functional as F
from execution import BOOK
from torch import nn

from charlm.attention import GPT, Block
from charlm.data import load_words, soft_targets, split_words, windows
from charlm.evaluate import evaluate, n_parameters
from charlm.memory import by_seen
from charlm.prefixes import passes_of_words
from charlm.train import adamw, cosine, training_steps
from charlm.vocab import Vocabulary

FULL: dict[str, Any] = {
    "steps": 3000,
    "rate": 0.008,
    "decay": 0.3,
    "dropout": 0.15,
    "batch": 256,
}
SHORT = FULL | {"steps": 700, "dropout": 0.1}
ONE = SHORT | {"n_layer": 1}
SEEDS = range(4)

#: Each design: its recipe, with sizes and what is changed. The first is the page's own.
DESIGNS: dict[str, dict[str, Any]] = {
    "gpt": FULL,
    "as it is": SHORT,
    "no positions": SHORT | {"change": "no positions"},
    "one head": SHORT | {"n_head": 1},
    "no residual": SHORT | {"change": "no residual"},
    "no normalization": SHORT | {"change": "no normalization"},
    "no feed-forward": SHORT | {"change": "no feed-forward"},
    "ReLU": SHORT | {"change": "relu"},
    "tied weights": SHORT | {"change": "tied weights"},
    "no dropout": SHORT | {"dropout": 0.0},
    "two blocks": SHORT | {"n_layer": 2},
    "one block": ONE,
    "sees 1": ONE | {"window": 1},
    "sees 2": ONE | {"window": 2},
    "sees 3": ONE | {"window": 3},
    "sees 5": ONE | {"window": 5},
}

WORDS = load_words()
TRAIN, DEV, _ = split_words(WORDS)
VOCAB = Vocabulary.from_words(WORDS)


class NoResidual(Block):
    """A block that passes on what its parts return, and not the sum."""

    def forward(self, x, rows=None):
        x = self.drop(self.attention(self.norm1(x), rows))
        return self.drop(self.feed_forward(self.norm2(x)))


class NoFeedForward(Block):
    """A block that only reads."""

    def forward(self, x, rows=None):
        return x + self.drop(self.attention(self.norm1(x), rows))


class Tied(nn.Module):
    """The rows of the last matrix as embedding, scaled as in Vaswani et al. 2017."""

    def __init__(self, out):
        super().__init__()
        self.out = out

    def forward(self, idx):
        return F.embedding(idx, self.out.weight) * math.sqrt(self.out.in_features)


def changed(model, change):
    """The model without one of its parts."""
    if change == "no positions":
        nn.init.zeros_(model.places.weight).requires_grad_(False)
    if change == "tied weights":
        scale = model.out.in_features**-0.5
        model.out.weight = nn.Parameter(scale * model.characters.weight.detach())
        model.characters = Tied(model.out)
    for block in model.blocks:
        if change == "no residual":
            block.__class__ = NoResidual
        if change == "no feed-forward":
            block.__class__ = NoFeedForward
            block.norm2 = block.feed_forward = nn.Identity()
        if change == "no normalization":
            block.norm1 = block.norm2 = model.norm = nn.Identity()
        if change == "relu":
            block.feed_forward[1] = nn.ReLU()
    return model


def windowed(window):
    """The causal mask that ends after the last characters."""
    return lambda T: torch.ones(T, T, dtype=torch.bool).tril().triu(1 - window)


def run(name, recipe, seed):
    """Train one design from one seed: its losses and what they took."""
    torch.set_num_threads(1)
    recipe = dict(recipe)
    steps, rate, decay, batch = (
        recipe.pop(key) for key in ("steps", "rate", "decay", "batch")
    )
    change, window = recipe.pop("change", ""), recipe.pop("window", None)
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)  # for dropout
    model = changed(GPT(len(VOCAB), generator=generator, **recipe), change)
    if window:
        for block in model.blocks:
            block.attention.mask = windowed(window)
    X, Y = windows(TRAIN, VOCAB, model.block_size)
    targets = soft_targets(X, Y, len(VOCAB))
    words = passes_of_words(
        X,
        targets,
        batch,
        generator=torch.Generator().manual_seed(seed + 1),
        steps=steps,
    )
    start = time.process_time()
    schedule = cosine(rate, steps, steps // 10)
    for step in training_steps(model, adamw(model, rate, decay), words, schedule):
        last = step.loss
    seconds = time.process_time() - start
    _, unseen = by_seen(model, DEV, TRAIN, VOCAB)
    assert math.isfinite(last) and unseen is not None
    return {
        "seed": seed,
        "dev": round(evaluate(model, DEV, VOCAB).loss, 5),
        "unseen": round(unseen.loss, 5),
        "seconds": round(seconds, 1),
        "parameters": n_parameters(model),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", nargs="*", help="names of designs")
    parser.add_argument("--steps", type=int, help="instead of those of the recipes")
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--designs", help="a JSON file of other designs, by name")
    parser.add_argument("--out", default=BOOK / "ablations.json")
    given = parser.parse_args()
    designs = DESIGNS
    if given.designs:
        with open(given.designs, encoding="utf-8") as file:
            designs = {name: FULL | own for name, own in json.load(file).items()}
    unknown = set(given.only or ()) - set(designs)
    if unknown:
        parser.error(f"no such design: {', '.join(sorted(unknown))}")
    wanted = {k: v for k, v in designs.items() if not given.only or k in given.only}
    if given.steps:
        wanted = {k: v | {"steps": given.steps} for k, v in wanted.items()}
    work = [(k, v, seed) for k, v in wanted.items() for seed in given.seeds]
    work.sort(key=lambda job: -job[1]["steps"])  # the long ones first
    found = defaultdict(list)
    with ProcessPoolExecutor(given.jobs) as pool:
        waiting = {pool.submit(run, *job): job[0] for job in work}
        for done in as_completed(waiting):
            name, result = waiting[done], done.result()
            found[name].append(result)
            print(name, result, flush=True)
    kept = {}
    if os.path.exists(given.out) and given.only:
        with open(given.out, encoding="utf-8") as file:
            kept = json.load(file)
    for name, runs in found.items():
        runs.sort(key=lambda result: result["seed"])
        kept[name] = {"recipe": wanted[name], "runs": runs}
    text = json.dumps(kept, indent=1)
    with open(given.out, "w", encoding="utf-8") as file:
        file.write(text + "\n")


if __name__ == "__main__":
    main()
