"""Recurrent nets: one state, carried along the word, holds what has been read so far.

RNN, GRU and LSTM differ in their cells: in how the next character changes the state.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from charlm.models import OUTPUT_GAIN, embedding, linear
from charlm.prefixes import distinct_prefixes


class Recurrent(nn.Module):
    """What recurrent nets share; a subclass adds the cell: (B, T) -> (B, V).

    A context is read from the left, one character at a time, beginning with the last
    of its boundaries. Each character has a row of the table, which serves as embedding,
    input matrix and bias in one. In train mode, a share of the state is dropped on its
    way to the logits, never on its way to the next state.

    Parameters
    ----------
    vocab_size : V, the number of ids
    block_size : T, the length of a context; of a longer one the last T ids count
    n_hidden : H, the numbers in a hidden state
    dropout : the share of the hidden state that is dropped before the logits
    generator : the source of the first weights; None for torch's global one
    """

    whole_words = True  #: training draws words, as `batches_of_words` does
    n_blocks = 1  #: rows and columns that a cell uses, in blocks of n_hidden
    keep_block: int | None = None  #: the block of the gate that keeps; its bias is 1
    n_states = 1  #: hidden vectors side by side in a state; the first makes logits

    def __init__(
        self,
        vocab_size: int,
        block_size: int = 16,
        n_hidden: int = 160,
        dropout: float = 0.2,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.block_size, self.n_hidden = block_size, n_hidden
        width = self.n_blocks * n_hidden
        self.table = embedding(vocab_size, width, generator=generator)
        self.hidden = linear(n_hidden, width, gain=1.0, generator=generator)
        with torch.no_grad():
            for block in self.hidden.weight.split(n_hidden):
                nn.init.orthogonal_(block, generator=generator)
            if self.keep_block is not None:
                self.hidden.bias.view(-1, n_hidden)[self.keep_block] = 1.0
        self.dropout = nn.Dropout(dropout)
        self.out = linear(n_hidden, vocab_size, gain=OUTPUT_GAIN, generator=generator)

    def cell(self, x: Tensor, state: Tensor) -> Tensor:
        """Return the state after a character: its row x (B, W), (B, S) -> (B, S)."""
        raise NotImplementedError

    def start(self, n: int) -> Tensor:
        """Return n states that have read nothing, zeros, (n, S)."""
        return self.out.weight.new_zeros(n, self.n_states * self.n_hidden)

    def logits(self, state: Tensor) -> Tensor:
        """Return what the states expect next: one row (V,) for each."""
        return self.out(self.dropout(state[..., : self.n_hidden]))

    def step(self, ids: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read one character each: ids (n,), n states -> logits (n, V), n states.

        The first character of a word is the boundary, and its state that of `start`.
        """
        state = self.cell(self.table(ids), state)
        return self.logits(state), state

    def all_places(self, idx: Tensor) -> Tensor:
        """Return the logits after each character: (B, T) -> (B, T, V).

        The plain way, place after place. A row begins at its left, with the boundary.
        """
        state, states = self.start(len(idx)), []
        for ids in idx.T:  # (B,)
            state = self.cell(self.table(ids), state)
            states.append(state)
        return self.logits(torch.stack(states, dim=1))

    def forward(self, idx: Tensor) -> Tensor:
        idx = idx[:, -self.block_size :]
        levels, at = distinct_prefixes(idx, self.table.num_embeddings)
        state, states = self.start(1), [self.start(0)]  # idx may be empty
        for ids, parents in levels:
            before = F.embedding(parents, state)  # state[parents], a faster gradient
            state = self.cell(self.table(ids), before)
            states.append(state)
        return F.embedding(at, self.logits(torch.cat(states)))


class RNN(Recurrent):
    """One layer that gets its own last output, too: (B, T) -> (B, V).

    h = tanh(x + h W), after Elman (1990). nn.RNN computes the same.
    """

    def cell(self, x: Tensor, state: Tensor) -> Tensor:
        return torch.tanh(x + self.hidden(state))


class GRU(Recurrent):
    """Gates decide what to renew, and what of the past to use: (B, T) -> (B, V).

    After Cho et al. (2014). As in nn.GRU, the reset gate acts after the matrix.
    """

    n_blocks, keep_block = 3, 1

    def cell(self, x: Tensor, state: Tensor) -> Tensor:
        xr, xz, xn = x.chunk(3, dim=1)
        hr, hz, hn = self.hidden(state).chunk(3, dim=1)
        r = torch.sigmoid(xr + hr)  # reset: how much of the past to use
        z = torch.sigmoid(xz + hz)  # update: how much of the state to keep
        n = torch.tanh(xn + r * hn)  # the new content
        return (1 - z) * n + z * state


class LSTM(Recurrent):
    """A memory c that is only scaled and added to, and what it shows: (B, T) -> (B, V).

    After Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000).
    A state is h and c side by side, (B, 2 H). nn.LSTM computes the same.
    """

    n_blocks, keep_block, n_states = 4, 1, 2

    def cell(self, x: Tensor, state: Tensor) -> Tensor:
        h, c = state.chunk(2, dim=1)
        i, f, g, o = (x + self.hidden(h)).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return torch.cat([h, c], dim=1)
