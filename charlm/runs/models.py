"""The models of the command line, and what each gets where nothing else is asked for.

Plain data, so that help needs neither torch nor pydantic.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """A model that a run may hold, and what it gets where nothing else is asked for.

    Parameters
    ----------
    network : its module and class; imported when one is built, as torch takes a second
    options : the fields of `ModelConfig` that it has, with their defaults
    recipe : the same of `TrainConfig`; None for a model that is counted in one go
    least_batch : batch normalization needs two rows, or there is no variance
    """

    network: str
    options: dict[str, Any]
    recipe: dict[str, Any] | None
    least_batch: int = 1


_TREE = {"block_size": 8, "n_embd": 24, "n_hidden": 128}
_QUICK = {
    "steps": 2600,
    "batch_size": 1024,
    "learning_rate": 0.007,
    "weight_decay": 0.5,
}
# A batch of these is so many whole words.
_WORDS = {"steps": 1600, "batch_size": 256, "weight_decay": 0.1}
#: All models by their names on the command line. A class takes vocab_size, its options
#: and generator, and has a block_size. "wavenet" gets the tree that computes each
#: distinct piece of the contexts once: the same function, sooner.
MODELS = {
    "ngram": Kind("charlm.counts:NGram", {"order": 5, "fallback": 3.0}, None),
    "bigram": Kind(
        "charlm.models:NeuralBigram",
        {},
        {
            "steps": 1000,
            "batch_size": 4096,
            "learning_rate": 0.1,
            "weight_decay": 0.0,
        },
    ),
    "mlp": Kind(
        "charlm.models:MLP",
        {
            "block_size": 3,
            "n_embd": 10,
            "n_hidden": 200,
            "n_layer": 1,
            "batch_norm": False,
        },
        {**_QUICK, "steps": 4000, "learning_rate": 0.01, "weight_decay": 0.1},
    ),
    "wavenet": Kind("charlm.memoized:MemoizedWaveNet", _TREE, _QUICK, 2),
    "conv": Kind("charlm.models:CausalConv", _TREE, _QUICK, 2),
    "gated": Kind(
        "charlm.gated:GatedWaveNet",
        {"block_size": 8, "n_hidden": 32},
        {**_QUICK, "weight_decay": 0.1},
    ),
    "rnn": Kind(
        "charlm.recurrent:RNN",
        {"block_size": 16, "n_hidden": 256, "dropout": 0.2},
        {**_WORDS, "learning_rate": 0.01},
    ),
    "gru": Kind(
        "charlm.recurrent:GRU",
        {"block_size": 16, "n_hidden": 160, "dropout": 0.2},
        {**_WORDS, "steps": 1000, "learning_rate": 0.02},
    ),
    "lstm": Kind(
        "charlm.recurrent:LSTM",
        {"block_size": 16, "n_hidden": 144, "dropout": 0.3},
        {**_WORDS, "learning_rate": 0.03, "weight_decay": 0.15},
    ),
    "gpt": Kind(
        "charlm.attention:GPT",
        {"block_size": 16, "n_embd": 64, "n_head": 4, "n_layer": 3, "dropout": 0.1},
        {**_WORDS, "steps": 3000, "learning_rate": 0.008, "weight_decay": 0.3},
    ),
}

#: The best of them that two cores train in a minute on the names of the book.
DEFAULT = "gru"
