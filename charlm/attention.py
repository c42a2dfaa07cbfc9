"""Attention (Vaswani et al. 2017): each place chooses what to read; and a small GPT."""

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from charlm.models import OUTPUT_GAIN, embedding, linear
from charlm.prefixes import Level, distinct_prefixes


def causal_mask(T: int) -> Tensor:
    """Return who may read whom: row t is True up to column t, (T, T)."""
    return torch.ones(T, T, dtype=torch.bool).tril()


def attention_weights(q: Tensor, k: Tensor, mask: Tensor) -> Tensor:
    """Return softmax(q k^T / sqrt(D)), 0 where the mask is False: (..., T, S).

    Parameters
    ----------
    q : queries (..., T, D), what each place looks for
    k : keys (..., S, D), what each place is found by
    mask : True where a query may read a key, (T, S); at least once in each row
    """
    scores = q @ k.mT / math.sqrt(q.shape[-1])  # (..., T, S)
    return scores.masked_fill(~mask, -math.inf).softmax(dim=-1)


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Return attention_weights(q, k, mask) @ v, fused: (..., T, D).

    Parameters
    ----------
    q : queries (..., T, D)
    k : keys (..., S, D)
    v : values (..., S, D), what a place hands over when it is read
    mask : True where a query may read a key, (T, S); None for everywhere
    """
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


class Rows(NamedTuple):
    """Prefixes in rows: each extends the one to its left."""

    prefixes: Tensor  #: Which of n prefixes is at each place, (R, T).
    at: Tensor  #: Where each prefix is, the rows laid end to end, (n,).


def rows_of(levels: list[Level], T: int) -> Rows:
    """Return the longest of all prefixes, one a row, filled up at the right to T."""
    n, longest = 0, []
    line = levels[0].ids.new_zeros(1, 0)
    for t, level in enumerate(levels):
        number = torch.arange(n, n + len(level.ids), device=line.device)
        line = torch.cat([line[level.parents], number[:, None]], dim=1)  # (m, t + 1)
        is_longest = torch.ones_like(number, dtype=torch.bool)
        if t + 1 < len(levels):
            is_longest[levels[t + 1].parents] = False
        filling = number[:, None].expand(-1, T - t - 1)
        longest.append(torch.cat([line, filling], dim=1)[is_longest])
        n += len(number)
    prefixes = torch.cat(longest)  # (R, T)
    place = torch.arange(prefixes.numel(), device=line.device)  # of all rows, R * T
    first = place.new_full((n,), len(place))
    return Rows(prefixes, first.scatter_reduce(0, prefixes.flatten(), place, "amin"))


class MultiHead(nn.Module):
    """Attention of several heads: (B, T, C) -> the same, or of prefixes (n, C) in rows.

    `mask` says who may read whom: the function `causal_mask`, or another of T. In
    rows no place may read to its right: what fills a row up belongs to no name.

    Parameters
    ----------
    n_embd : C, the channels of each place
    n_head : H, the heads, each with D = C / H channels of its own
    gain : of the last matrix; a small one keeps the sum of many blocks small
    generator : draws the initial weights; None for torch's global one
    """

    def __init__(
        self,
        n_embd: int,
        n_head: int,
        gain: float = 1.0,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.n_head, self.mask = n_head, causal_mask
        self.qkv = linear(n_embd, 3 * n_embd, gain=1.0, generator=generator)
        self.out = linear(n_embd, n_embd, gain=gain, generator=generator)

    def heads(self, x: Tensor) -> Tensor:
        """Return the channels by head: (B, T, C) -> (B, H, T, D)."""
        return x.unflatten(2, (self.n_head, -1)).transpose(1, 2)

    def forward(self, x: Tensor, rows: Rows | None = None) -> Tensor:
        qkv = self.qkv(x)  # (B, T, 3 * C)
        if rows is not None:
            qkv = F.embedding(rows.prefixes, qkv)  # (n, 3 * C) -> (R, T, 3 * C)
        q, k, v = map(self.heads, qkv.chunk(3, dim=2))
        mask = self.mask(q.shape[2]).to(q.device)  # (T, T)
        read = attention(q, k, v, mask)  # (B, H, T, D)
        read = read.transpose(1, 2).flatten(2)  # (B, T, C), the heads side by side
        if rows is not None:
            read = read.flatten(0, 1)[rows.at]  # (R, T, C) -> (n, C)
        return self.out(read)

    def step(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """Return what one new place reads, and the past with it: (B, 1, C) -> same.

        The past has the keys and values of the t places before, (B, t, 2C).
        """
        q, new = self.qkv(x).split([x.shape[2], past.shape[2]], dim=2)
        past = torch.cat([past, new], dim=1)  # (B, t + 1, 2C)
        q, k, v = map(self.heads, (q, *past.chunk(2, dim=2)))
        read = attention(q, k, v, mask=None)  # (B, H, 1, D)
        return self.out(read.transpose(1, 2).flatten(2)), past


class Block(nn.Module):
    """x + attention(norm(x)), then x + feed_forward(norm(x)): (B, T, C) -> the same.

    Parameters
    ----------
    n_embd : C, the channels of each place; the hidden layer has 4 C
    n_head : H, the heads of the attention
    gain : of the last matrix of either part
    dropout : the share of either sum that is dropped, in train mode
    generator : draws the initial weights; None for torch's global one
    """

    def __init__(
        self,
        n_embd: int,
        n_head: int,
        gain: float = 1.0,
        dropout: float = 0.0,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)
        self.attention = MultiHead(n_embd, n_head, gain, generator=generator)
        self.feed_forward = nn.Sequential(
            linear(n_embd, 4 * n_embd, gain=2**0.5, generator=generator),
            nn.GELU(),
            linear(4 * n_embd, n_embd, gain=gain, generator=generator),
        )
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, rows: Rows | None = None) -> Tensor:
        x = x + self.drop(self.attention(self.norm1(x), rows))
        return x + self.drop(self.feed_forward(self.norm2(x)))

    def step(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """Do the same for one new place, (B, 1, C): see `MultiHead.step`."""
        read, past = self.attention.step(self.norm1(x), past)
        x = x + self.drop(read)
        return x + self.drop(self.feed_forward(self.norm2(x))), past


class GPT(nn.Module):
    """A small GPT, each distinct prefix computed once: (B, T) -> (B, V).

    Parameters
    ----------
    vocab_size : V, the number of ids
    block_size : T, the most places; of a longer word the last T characters count
    n_embd : C, the channels of each place, a multiple of n_head
    n_head : H, the heads of each block
    n_layer : L, the blocks
    dropout : the share of each sum that is dropped, in train mode
    generator : draws the initial weights; None for torch's global one
    """

    whole_words = True  #: training draws words, as `batches_of_words` does

    def __init__(
        self,
        vocab_size: int,
        block_size: int = 16,
        n_embd: int = 64,
        n_head: int = 4,
        n_layer: int = 3,
        dropout: float = 0.1,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.block_size = block_size
        self.characters = embedding(vocab_size, n_embd, generator=generator)
        self.places = embedding(block_size, n_embd, generator=generator)
        self.drop = nn.Dropout(dropout)
        gain = (2 * n_layer) ** -0.5  # so many sums, of about equal variance
        sizes = n_embd, n_head, gain, dropout
        blocks = (Block(*sizes, generator=generator) for _ in range(n_layer))
        self.blocks: Any = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(n_embd)
        self.out = linear(n_embd, vocab_size, gain=OUTPUT_GAIN, generator=generator)

    def embed(self, idx: Tensor, place: Tensor) -> Tensor:
        """Return the sum of two vectors, of character and place: both -> (..., C)."""
        return self.drop(self.characters(idx) + self.places(place))

    def all_places(self, idx: Tensor) -> Tensor:
        """Return the logits after each place: (B, T) -> (B, T, V)."""
        x = self.embed(idx, torch.arange(idx.shape[1], device=idx.device))
        for block in self.blocks:
            x = block(x)
        return self.out(self.norm(x))

    def forward(self, idx: Tensor) -> Tensor:
        V, T = self.out.out_features, self.block_size
        levels, at = distinct_prefixes(idx[:, -T:], V)
        if not levels:
            return self.out.weight.new_zeros(0, V)
        ids = torch.cat([level.ids for level in levels])  # (n,)
        place = [torch.full_like(level.ids, t) for t, level in enumerate(levels)]
        x, rows = self.embed(ids, torch.cat(place)), rows_of(levels, T)
        for block in self.blocks:
            x = block(x, rows)
        return F.embedding(at, self.out(self.norm(x)))

    def start(self, n: int) -> Tensor:
        """Return the state of n words before the boundary: (n, 0, L, 2C)."""
        C = self.out.in_features
        return self.out.weight.new_zeros(n, 0, len(self.blocks), 2 * C)

    def step(self, ids: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits after one more character, (n,) -> (n, V), and the state.

        It has the keys and values of t places, (n, t, L, 2C). Raises ValueError where
        there is no place left.
        """
        if state.shape[1] == self.block_size:
            raise ValueError(f"this GPT has only {self.block_size} places")
        x = self.embed(ids[:, None], state.new_tensor([state.shape[1]]).long())
        layers = []
        for block, past in zip(self.blocks, state.unbind(2), strict=True):
            x, past = block.step(x, past)
            layers.append(past)
        return self.out(self.norm(x))[:, 0], torch.stack(layers, dim=2)
