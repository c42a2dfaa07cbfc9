"""New words from any model, many at a time."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from charlm.evaluate import Model, eval_mode
from charlm.vocab import InputError, Vocabulary

COLDEST = 1e-30  # below, logits / temperature would no longer be finite


def next_probs(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None
) -> Tensor:
    """Return the probabilities to draw the next character from: (B, V) -> (B, V).

    softmax(logits / temperature)

    Raises InputError unless temperature is positive and finite, and top_k at least 1.

    Parameters
    ----------
    logits : (B, V)
    temperature : below 1 favors likely characters, above 1 unlikely ones
    top_k : how many characters of each row are kept, the likeliest; None for all
    """
    if not (0 < temperature < math.inf):
        raise InputError(f"temperature must be positive and finite, got {temperature}")
    if top_k is not None:
        if top_k < 1:
            raise InputError(f"top_k must be at least 1, got {top_k}")
        k = min(top_k, logits.shape[1])
        best = logits.topk(k, dim=1)
        logits = torch.full_like(logits, -math.inf).scatter(
            1, best.indices, best.values
        )
    if temperature != 1:
        logits = logits / max(temperature, COLDEST)
    return torch.softmax(logits, dim=1, dtype=torch.float32)


@torch.no_grad()
def generate(
    model: Callable[[Tensor], Tensor],
    context: Tensor,
    max_length: int,
    *,
    generator: torch.Generator,
    temperature: float = 1.0,
    top_k: int | None = None,
) -> Tensor:
    """Return the ids that follow each context: (B, T) -> (B, at most max_length).

    All rows are drawn together; a row that has met the boundary is finished, leaves
    the batch and is filled up with boundaries. The model is used in eval mode.

    Parameters
    ----------
    model : maps contexts (B, T) to logits (B, V)
    context : the ids that each row starts from
    max_length : where a row that has not met the boundary is cut off
    generator : the source of randomness
    temperature : as in `next_probs`; 1 draws from the model itself
    top_k : as in `next_probs`; None keeps every character
    """
    columns: list[Tensor] = []
    alive = torch.arange(len(context))
    with eval_mode(model):
        rows = _Rows(model, context)
        for _ in range(max_length):
            probs = next_probs(rows.logits(), temperature, top_k)
            ids = draw(probs, generator=generator)  # (alive, 1)
            going = ids.squeeze(1).nonzero().squeeze(1)
            alive, ids = alive[going], ids[going]
            if len(alive) == 0:
                break
            columns.append(torch.zeros(len(context), dtype=torch.int64))
            columns[-1][alive] = ids.squeeze(1)
            rows.go_on(going, ids)
    return torch.stack(columns, 1) if columns else context.new_zeros(len(context), 0)


class _Rows:
    """The contexts of all rows, and the states after them where the model has such.

    A model that has `start` and `step` reads each character once, as long as it has
    read no more than block_size of them, and once for all rows that began alike: `at`
    says which of the n states is a row's, (B,). Others read the whole context again.
    """

    def __init__(self, model: Any, context: Tensor) -> None:
        self.model, self.context = model, context
        self.state: Tensor | None = None
        if hasattr(model, "step") and len(context) and (context == context[0]).all():
            own = context[0]  # (T,): all rows are alike
            while len(own) > 1 and own[0] == own[1] == 0:
                own = own[1:]  # begins with the one boundary before its word
            state = model.start(1)
            for id in own[:-1]:
                _, state = model.step(id.view(1), state)
            self.state, self.ids = state, own[-1:]  # one of each
            self.at = torch.zeros(len(context), dtype=torch.int64)
            self.room = model.block_size - len(own) + 1

    def logits(self) -> Tensor:
        """Return what the model expects after each row, (B, V)."""
        if self.state is None or self.room == 0:
            self.state = None
            return self.model(self.context)
        logits, self.state = self.model.step(self.ids, self.state)  # (n, V)
        self.room, self.vocab_size = self.room - 1, logits.shape[1]
        return logits[self.at]

    def go_on(self, rows: Tensor, ids: Tensor) -> None:
        """Keep some rows, and append an id to each: (n,), (n, 1)."""
        self.context = torch.cat([self.context[rows], ids], dim=1)[:, 1:]
        if self.state is not None:
            code = self.at[rows] * self.vocab_size + ids.squeeze(1)
            distinct, self.at = torch.unique(code, return_inverse=True)
            self.ids = distinct % self.vocab_size
            self.state = self.state[distinct // self.vocab_size]


def draw(probs: Tensor, *, generator: torch.Generator) -> Tensor:
    """Return one character drawn from each row: (B, V) -> (B, 1).

    As torch.multinomial does, but faster for many short rows: the unit interval is cut
    into V pieces as long as the probabilities, and a random point falls into one.
    Raises InputError where a probability is nan.
    """
    ends = probs.double().cumsum(1)
    if ends[:, -1].isnan().any():
        raise InputError("a probability is nan: the model's parameters are spoiled")
    point = torch.rand(len(probs), 1, dtype=torch.float64, generator=generator)
    return torch.searchsorted(ends, point * ends[:, -1:], right=True)


def sample_words(
    model: Model,
    vocab: Vocabulary,
    n: int,
    *,
    generator: torch.Generator,
    prefix: str = "",
    temperature: float = 1.0,
    top_k: int | None = None,
    max_length: int = 100,
) -> list[str]:
    """Return n words drawn from the model, each starting with prefix.

    Parameters
    ----------
    model : contexts (B, model.block_size) give logits (B, V)
    vocab : names the V ids
    n : how many words; InputError if negative
    generator : the source of randomness: the same state gives the same words
    prefix : how each word starts; UnknownCharacterError if the vocabulary lacks a
        character
    temperature : as in `next_probs`; 1 draws from the model itself
    top_k : as in `next_probs`; None keeps every character
    max_length : where a word that has not ended is cut off; the prefix counts
    """
    if n < 0:
        raise InputError(f"the number of words must not be negative, got {n}")
    start = vocab.encode(prefix)
    T = model.block_size
    padded = [0] * T + start
    context = torch.tensor(padded[len(start) :], dtype=torch.int64).expand(n, T)
    room = max(max_length - len(start), 0)
    rows = generate(
        model,
        context,
        room,
        generator=generator,
        temperature=temperature,
        top_k=top_k,
    )
    text = vocab.decode(rows[rows > 0].tolist())
    ends = rows.count_nonzero(1).cumsum(0).tolist()
    return [prefix + text[a:b] for a, b in pairwise([0, *ends])]
