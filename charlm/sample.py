"""New words from any model, many at a time."""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from charlm.evaluate import Model
from charlm.vocab import Vocabulary


def next_probs(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None
) -> Tensor:
    """Return the probabilities to draw the next character from: (B, V) -> (B, V).

    softmax(logits / temperature): below 1 the likely characters gain, above 1 they
    lose. With top_k only the k most likely characters of each row are kept.
    """
    if not (0 < temperature < math.inf):
        raise ValueError(f"temperature must be positive and finite, got {temperature}")
    if top_k is not None:
        if top_k < 1:
            raise ValueError(f"top_k must be at least 1, got {top_k}")
        k = min(top_k, logits.shape[1])
        best = logits.topk(k, dim=1)
        logits = torch.full_like(logits, -math.inf).scatter(
            1, best.indices, best.values
        )
    return torch.softmax(logits / temperature, dim=1)


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
    the batch and is filled up with boundaries. Equal contexts go to the model once.
    """
    B, _ = context.shape
    alive = torch.arange(B)
    columns = [torch.empty(B, 0, dtype=torch.int64)]
    while len(alive) > 0 and len(columns) <= max_length:
        examples, which = _distinct(context)
        probs = next_probs(model(context[examples]), temperature, top_k)
        ids = _draw(probs, which, generator)[:, None]  # (alive, 1)
        columns.append(torch.zeros(B, 1, dtype=torch.int64).index_copy_(0, alive, ids))
        going = ids.squeeze(1) != 0
        alive = alive[going]
        context = torch.cat([context, ids], dim=1)[going, 1:]
    return torch.cat(columns, dim=1)


def _distinct(context: Tensor) -> tuple[Tensor, Tensor]:
    """Return an example of each distinct context, and which one each row has.

    (B, T) -> (U,), (B,), where context[examples][which] is context. All rows start
    alike, so that U is small and the model has little to do.
    """
    B, _ = context.shape
    which = torch.zeros(B, dtype=torch.int64)
    for char in context.unbind(1):
        which = torch.unique(which * (context.max() + 1) + char, return_inverse=True)[1]
    examples = which.new_empty(int(which.max()) + 1)
    return examples.scatter_(0, which, torch.arange(B)), which


def _draw(probs: Tensor, which: Tensor, generator: torch.Generator) -> Tensor:
    """Return a character drawn from row `which` of probs: (U, V), (B,) -> (B,).

    The unit interval is cut into V pieces, as long as the probabilities, and a uniform
    random number falls into one of them; never into one of length zero.
    """
    ends = probs.double().cumsum(1)
    u = torch.rand(len(which), dtype=torch.float64, generator=generator)
    u *= ends[which, -1]
    return torch.searchsorted(ends[which], u[:, None], right=True).squeeze(1)


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
    generator
        The source of randomness: the same state gives the same words.
    prefix
        How each word starts; UnknownCharacterError if the vocabulary lacks a letter.
    temperature, top_k
        As in `next_probs`.
    max_length
        A word that has not ended by then is cut off there.
    """
    if n < 0:
        raise ValueError(f"the number of words must not be negative, got {n}")
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
