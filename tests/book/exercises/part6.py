"""Right and wrong answers to the exercises of Part 6."""

from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from charlm.book.exercises import part6

# 6.1


def masked_loss(logits, y):
    """The solution of the page."""
    losses = F.cross_entropy(
        logits.flatten(0, 1), y.flatten(), ignore_index=-1, reduction="none"
    ).view(y.shape)
    return losses.sum(1), losses.sum() / (y >= 0).sum()


def by_gathering(logits, y):
    at = logits.log_softmax(-1).gather(2, y.clamp(min=0).unsqueeze(2)).squeeze(2)
    losses = -(at * (y != -1))
    return [losses.sum(dim=1), (losses.sum() / (y != -1).sum()).item()]


def by_the_end(logits, y):
    """Finds the end of a name by its first boundary, and goes name by name."""
    total, n, by_name = 0.0, 0, torch.zeros(len(y))
    for b in range(len(y)):
        length = int((y[b] == 0).nonzero()[0]) + 1
        probs = logits[b, :length].softmax(1)
        by_name[b] = -probs[torch.arange(length), y[b, :length]].log().sum()
        total, n = total + by_name[b].item(), n + length
    return by_name, total / n


def names_but(change):
    """Masked losses, the first of the two changed."""
    return lambda z, y: (change(*places_of(z, y)), masked_loss(z, y)[1])


def mean_but(change):
    return lambda z, y: (masked_loss(z, y)[0], change(*places_of(z, y)))


def places_of(z, y):
    flat = F.cross_entropy(
        z.flatten(0, 1), y.flatten(), ignore_index=-1, reduction="none"
    )
    return flat.view(y.shape), (y >= 0).sum(1)


def unmasked(z, y, target):
    y = y.masked_fill(y < 0, target(z))
    losses = F.cross_entropy(z.flatten(0, 1), y.flatten(), reduction="none")
    return losses.view(y.shape).sum(1), losses.mean()


# 6.2


def gru(x, h, W, U, b, c):
    """The solution of the page."""
    xr, xz, xn = (x @ W.T + b).chunk(3, dim=1)
    hr, hz, hn = (h @ U.T + c).chunk(3, dim=1)
    r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
    n = torch.tanh(xn + r * hn)
    return (1 - z) * n + z * h


def gru_row_by_row(x, h, W, U, b, c):
    H = h.shape[1]
    out = torch.zeros(h.shape)
    for i in range(len(x)):
        a, d = W @ x[i] + b, U @ h[i] + c
        r = 1 / (1 + (-a[:H] - d[:H]).exp())
        z = 1 / (1 + (-a[H : 2 * H] - d[H : 2 * H]).exp())
        n = torch.tanh(a[2 * H :] + r * d[2 * H :])
        out[i] = h[i] + (1 - z) * (n - h[i])
    return out


def by_torch(x, h, *parameters):
    cell = torch.nn.GRUCell(x.shape[1], h.shape[1])
    for p, value in zip(cell.parameters(), parameters):
        p.data = value
    return cell(x, h)


def gru_in_place(x, h, W, U, b, c):
    h.copy_(gru(x, h, W, U, b, c))
    return h


def gru_of_five(x, h, W, U, b, c):
    """Takes the blocks apart at five units."""
    a, d = x @ W.T + b, h @ U.T + c
    r, z = (torch.sigmoid(a[:, s] + d[:, s]) for s in (slice(0, 5), slice(5, 10)))
    n = torch.tanh(a[:, 10:15] + r * d[:, 10:15])
    return (1 - z) * n + z * h


# 6.3


def mgu(x, W, U, b):
    """The solution of the page."""
    H = len(U)
    h = x.new_zeros(len(x), H)
    states = []
    for t in range(x.shape[1]):
        a = x[:, t] @ W + b
        f = torch.sigmoid(a[:, :H] + h @ U[:, :H])
        n = torch.tanh(a[:, H:] + (f * h) @ U[:, H:])
        h = h + f * (n - h)
        states.append(h)
    return torch.stack(states, dim=1)


def mgu_filling(x, W, U, b):
    """Fills a tensor of zeros in float32."""
    B, T, _ = x.shape
    out = torch.zeros(B, T + 1, len(U))
    for t in range(T):
        h = out[:, t]
        out[:, t + 1] = mgu_cell(x[:, t], h, W, U, b)
    return out[:, 1:]


def mgu_cell(x, h, W, U, b):
    (Wf, Wn), (Uf, Un), (bf, bn) = (t.tensor_split(2, -1) for t in (W, U, b))
    f = (x @ Wf + h @ Uf + bf).sigmoid()
    return (1 - f) * h + f * (x @ Wn + (f * h) @ Un + bn).tanh()


def always_six(x, W, U, b):
    """Reads six places, as many as the first try has."""
    return mgu(torch.cat([x, x.new_zeros(len(x), 6, x.shape[2])], 1)[:, :6], W, U, b)


# 6.4


def count(cell, V, H):
    """The solution of the page."""
    blocks = {"RNN": 1, "GRU": 3, "LSTM": 4}[cell]
    return blocks * (V * H + H * H + H) + H * V + V


def counted(cell, V, H):
    """Counts the numbers of real tensors."""
    k = len(cell) if cell != "RNN" else 1
    shapes = [(V, k * H), (H, k * H), (k * H,), (H, V), (V,)]
    return sum(torch.empty(s).numel() for s in shapes)


def count_but(change):
    k = {"RNN": 1, "GRU": 3, "LSTM": 4}
    return lambda cell, V, H: count(cell, V, H) + change(k[cell], V, H)


def blocks_of(**blocks):
    def wrong(cell, V, H):
        return blocks[cell] * (V * H + H * H + H) + H * V + V

    return wrong


# 6.5


def norms(states, U):
    """The solution of the page."""
    J = torch.eye(len(U), dtype=U.dtype)
    found = []
    for h in states.flip(0):
        found.append(torch.linalg.matrix_norm(J, 2))
        J = (U * (1 - h**2)) @ J
    return torch.stack(found)


def norms_of_columns(states, U):
    """With columns for vectors, in float32 everywhere, by singular values."""
    J, found = torch.eye(len(U)), []
    for h in reversed(states):
        found.append(torch.linalg.svdvals(J)[0].item())
        J = J @ torch.diag(1 - h * h) @ U.T
    return torch.tensor(found)


def by_autograd(states, U):
    T = len(states)
    before = torch.cat([states.new_zeros(1, len(U)), states[:-1]])
    x = states.atanh() - before @ U
    found = []
    for lag in range(T):

        def last(h, start=T - lag):
            for t in range(start, T):
                h = torch.tanh(x[t] + h @ U)
            return h

        J = torch.autograd.functional.jacobian(last, states[T - lag - 1])
        found.append(torch.linalg.norm(J, 2))
    return torch.stack(found)


def norms_with(step, advance=lambda M, J: M @ J, norm=None):
    norm = norm or partial(torch.linalg.matrix_norm, ord=2)

    def wrong(states, U):
        J, found = torch.eye(len(U), dtype=U.dtype), []
        for t in reversed(range(len(states))):
            found.append(norm(J))
            J = advance(step(states, t, U), J)
        return torch.stack(found)

    return wrong


def right_step(states, t, U):
    return U * (1 - states[t] ** 2)


def norms_multiplied(states, U):
    steps = [torch.linalg.matrix_norm(U * (1 - h**2), 2) for h in states.flip(0)]
    return torch.stack([torch.ones_like(steps[0]), *steps[:-1]]).cumprod(0)


# 6.6


def in_pieces(loss_of, text, h, n):
    """The solution of the page."""
    total = 0.0
    for x, y in zip(text[:-1].split(n), text[1:].split(n)):
        loss, h = loss_of(x, y, h.detach())
        loss.backward()
        total += loss.item()
    return total / (len(text) - 1), h


def by_ranges(loss_of, text, h, n):
    losses = []
    for i in range(0, len(text) - 1, n):
        y = text[i + 1 : i + n + 1]
        loss, h = loss_of(text[i : i + len(y)], y, h)
        loss.backward()
        h = h.detach_()
        losses.append(loss.detach())
    return torch.stack(losses).sum() / (len(text) - 1), h


def with_data(loss_of, text, h, n):
    total = torch.zeros(())
    for i in range(0, len(text) - 1, n):
        piece = text[i : i + n + 1]
        loss, h = loss_of(piece[:-1], piece[1:], h.data)
        loss.backward()
        total = total + loss.data
    return [total / (len(text) - 1), h]


def with_graphs(loss_of, text, h, n):
    """The number is right, but memory grows with the text."""
    total = torch.zeros(())
    for i in range(0, len(text) - 1, n):
        piece = text[i : i + n + 1]
        loss, h = loss_of(piece[:-1], piece[1:], h.detach())
        loss.backward()
        total = total + loss
    return total / (len(text) - 1), h


def pieces_but(
    x=lambda text, n: text[:-1].split(n),
    y=lambda text, n: text[1:].split(n),
    between=lambda h, start: h.detach(),
    back=lambda loss, m: loss.backward(),
    mean=lambda losses, lengths: sum(losses) / sum(lengths),
    last=lambda h, start: h,
):
    """The walk through the text with one of its steps replaced."""

    def walk(loss_of, text, start, n):
        h, losses, lengths = start, [], []
        for a, b in zip(x(text, n), y(text, n)):
            loss, h = loss_of(a, b, between(h, start))
            back(loss, len(a))
            losses.append(loss.item())
            lengths.append(len(a))
        return mean(losses, lengths), last(h, start)

    return walk


def without_graph(loss_of, text, h, n):
    """Takes no_grad for detach."""
    for x, y in zip(text[:-1].split(n), text[1:].split(n)):
        with torch.no_grad():
            loss, h = loss_of(x, y, h.detach())
        loss.backward()
    return loss.item(), h


def all_at_the_end(loss_of, text, h, n):
    total = torch.zeros(())
    for x, y in zip(text[:-1].split(n), text[1:].split(n)):
        loss, h = loss_of(x, y, h.detach())
        total = total + loss
    total.backward()
    return total / (len(text) - 1), h


def not_the_last(loss_of, text, h, n):
    pieces = list(zip(text[:-1].split(n), text[1:].split(n)))
    total = 0.0
    for i, (x, y) in enumerate(pieces):
        loss, h = loss_of(x, y, h.detach())
        if i + 1 < len(pieces):
            loss.backward()
        total += loss.item()
    return total / (len(text) - 1), h


def whole(loss_of, text, h, n):
    loss, h = loss_of(text[:-1], text[1:], h)
    loss.backward()
    return loss / (len(text) - 1), h


def begins_with_zeros(h, start):
    return torch.zeros_like(h) if h is not start else h


def cut(text, n):
    return text.split(n)


RIGHT: dict[str, list[Any]] = {
    "6.1": [masked_loss, by_gathering, by_the_end],
    "6.2": [gru, gru_row_by_row, by_torch, lambda *a: gru(*a).float()],
    "6.3": [mgu, mgu_filling, lambda *a: mgu(*a).double()],
    "6.4": [
        count,
        counted,
        lambda *a: float(count(*a)),
        lambda *a: np.int64(count(*a)),
        lambda *a: torch.tensor(count(*a)),
    ],
    "6.5": [norms, norms_of_columns, by_autograd],
    "6.6": [in_pieces, by_ranges, with_data],
}

WRONG: dict[str, list[tuple[Any, str]]] = {
    "6.1": [
        (names_but(lambda p, n: p.sum(1) / n), "mean over each name's places"),
        (names_but(lambda p, n: p.mean(1)), "all T places, padding included"),
        (names_but(lambda p, n: p.sum(0)), "not over the names"),
        (names_but(lambda p, n: -p.sum(1)), "sign is wrong"),
        (names_but(lambda p, n: p), "B = 6, T = 7, V = 11 the loss of each name shou"),
        (names_but(lambda p, n: p.sum(1) + 1), "each name is not right. See hint 2"),
        (names_but(lambda p, n: p.sum(1).tolist()), "tensor of floats"),
        (partial(unmasked, target=lambda z: 0), "padding counts, as if it had the tar"),
        (partial(unmasked, target=lambda z: z.shape[2] - 1), "the index -1 takes"),
        (mean_but(lambda p, n: (p.sum(1) / n).mean()), "a short name weighs more"),
        (mean_but(lambda p, n: p.mean()), "divides by the padding, too. See hint 3"),
        (mean_but(lambda p, n: p.sum() / len(p)), "mean per name"),
        (mean_but(lambda p, n: p.sum()), "that is the sum"),
        (mean_but(lambda p, n: p[p > 0].mean()), "counts the losses that are not 0"),
        (mean_but(lambda p, n: 2.0), "each name is right, but the mean is not"),
        (mean_but(lambda p, n: p), "Expected one number, got Tensor"),
        (lambda z, y: masked_loss(z, y)[1], "return two things"),
        (lambda z, y: masked_loss(z[:, :7], y[:, :7])[0], "return two things"),
        (lambda z, y: F.cross_entropy(z.flatten(0, 1), y.flatten()), "Target -1 is"),
        (lambda z, y: masked_loss(z, y.clamp_(min=0)), "overwrites"),
    ],
    "6.2": [
        (lambda *a: part6._gru(*a, kept=False), "wrong way round. See hint 2"),
        (lambda *a: part6._gru(*a, reset="before"), "as in the paper"),
        (lambda *a: part6._gru(*a, reset="inside"), "leaves out the bias"),
        (lambda *a: part6._gru(*a, reset="not"), "missing from the candidate"),
        (lambda *a: part6._gru(*a, order="zrn"), "are swapped: r has the first"),
        (lambda *a: part6._gru(*a, order="nrz"), "numbers are not right. See hint 1"),
        (lambda *a: part6._gru(*a, squash=torch.sigmoid), "by a sigmoid"),
        (lambda *a: part6._gru(*a, squash=lambda t: t), "where is its tanh"),
        (lambda x, h, W, U, b, c: gru(x, h, W, U, b, 0 * c), "b_hh is missing"),
        (lambda x, h, W, U, b, c: gru(x, h, W, U, 0 * b, c), "b_ih is missing"),
        (lambda x, h, W, U, b, c: gru(x, h, W, U, 0 * b, 0 * c), "Both biases"),
        (gru_of_five, "Right for B = 4, I = 3, H = 5. But for B = 2"),
        (gru_in_place, "overwrites"),
        (lambda *a: gru(*a).T, "shape (4, 5), not (5, 4)"),
        (lambda *a: gru(*a).numpy(), "got ndarray"),
        (lambda x, h, W, U, b, c: gru(x, h, W.T, U.T, b, c), "raises RuntimeError"),
    ],
    "6.3": [
        (lambda *a: part6._mgu(*a, renewed=False), "wrong way round"),
        (lambda *a: part6._mgu(*a, gated="not"), "reads the whole old state"),
        (lambda *a: part6._mgu(*a, gated="after"), "f acts after the matrix"),
        (lambda *a: part6._mgu(*a, swapped=True), "Gate and candidate are swapped"),
        (lambda *a: part6._mgu(*a, carried=False), "begins with zeros"),
        (lambda *a: part6._mgu(*a, squash=torch.sigmoid), "by a sigmoid"),
        (lambda *a: mgu(*a)[:, -1], "last state alone"),
        (lambda *a: mgu(*a).transpose(0, 1), "T is dimension 0"),
        (lambda x, W, U, b: mgu(x, W, U, 0 * b), "bias is missing"),
        (lambda *a: mgu(*a) * 2, "numbers are not right"),
        (lambda *a: list(mgu(*a)), "got list"),
        (always_six, "Right for B = 3, T = 6"),
    ],
    "6.4": [
        (blocks_of(RNN=1, GRU=2, LSTM=4), "For GRU, V = 27 and H = 160 you count 2 b"),
        (blocks_of(RNN=1, GRU=3, LSTM=3), "as many blocks as GRU has"),
        (blocks_of(RNN=1, GRU=4, LSTM=3), "as many blocks as LSTM has"),
        (count_but(lambda k, V, H: -V), "last layer's bias is missing"),
        (count_but(lambda k, V, H: -H * V - V), "last layer is missing"),
        (count_but(lambda k, V, H: -k * H), "blocks' biases are missing"),
        (count_but(lambda k, V, H: -k * H - V), "all biases"),
        (count_but(lambda k, V, H: k * H), "two biases"),
        (count_but(lambda k, V, H: -k * V * H), "table is missing"),
        (count_but(lambda k, V, H: -k * H * H), "state to state"),
        (count_but(lambda k, V, H: V * H), "an embedding too many"),
        (count_but(lambda k, V, H: -(k - 1) * V * H), "one block its numbers"),
        (count_but(lambda k, V, H: -(k - 1) * H * H), "give only one block a matrix"),
        (count_but(lambda k, V, H: -(k - 1) * H), "give only one block a bias"),
        (lambda cell, V, H: count(cell, 27, H), "For RNN, V = 50 and H = 7 it is not"),
        (lambda cell, V, H: str(count(cell, V, H)), "got str"),
        (lambda cell, V, H: count(cell.lower(), V, H), "raises KeyError"),
    ],
    "6.5": [
        (norms_with(lambda s, t, U: U), "slope of tanh? See hint 1"),
        (norms_with(lambda s, t, U: U * (1 - s[t])), "with a square"),
        (norms_with(right_step, norm=torch.linalg.norm), "as one vector"),
        (norms_multiplied, "multiply the matrices"),
        (norms_with(lambda s, t, U: right_step(s, t - 1, U)), "one place off"),
        (norms_with(right_step, lambda M, J: J @ M), "wrong order. See hint 3"),
        (
            norms_with(
                lambda s, t, U: torch.diag(1 - s[t] ** 2) @ U, lambda M, J: J @ M
            ),
            "rows of U; they should scale its columns. See hint 1.",
        ),
        (
            norms_with(lambda s, t, U: (1 - s[t] ** 2)[:, None] * U),
            "rows of U; they should scale its columns. See hints 1 and 3.",
        ),
        (lambda *a: norms(*a).flip(0), "the other order"),
        (lambda *a: norms(*a)[1:], "Lag 0 is missing"),
        (lambda *a: norms(*a)[:, None], "shape (7,), not (7, 1)"),
        (lambda *a: norms(*a) + 1, "numbers are not right"),
        (lambda *a: norms(*a).tolist(), "got list"),
        (lambda states, U: norms(states[-7:], U), "Right for T = 7, H = 5. But for"),
    ],
    "6.6": [
        (lambda *a: (1.0, a[2]), "never calls loss_of"),
        (with_graphs, "keeps the graphs of all pieces"),
        (whole, "has 21 characters, n is 6. See hint 2"),
        (pieces_but(y=lambda text, n: text[:-1].split(n)), "characters themselves"),
        (
            pieces_but(
                x=lambda text, n: [c[:-1] for c in cut(text, n)],
                y=lambda text, n: [c[1:] for c in cut(text, n)],
            ),
            "first character of each later piece is never a target",
        ),
        (
            pieces_but(
                x=lambda text, n: [c for c in cut(text[:-1], n) if len(c) == n],
            ),
            "The last piece, which is shorter, is left out",
        ),
        (
            pieces_but(x=lambda text, n: text[:12].split(n)),
            "21 predictions in all, not 12",
        ),
        (
            pieces_but(x=lambda text, n: text.split(n)),
            "A piece has 4 characters and 3 targets",
        ),
        (
            pieces_but(x=lambda text, n: text[:-1].flip(0).split(n)),
            "not the text in order",
        ),
        (
            pieces_but(
                x=lambda text, n: text[:-1].split(1), y=lambda t, n: t[1:].split(1)
            ),
            "not the text in order, 6 characters each",
        ),
        (
            pieces_but(between=lambda h, start: h),
            "still has the graph of the pieces before it. See hint 1",
        ),
        (
            pieces_but(
                between=lambda h, start: h,
                back=lambda loss, m: loss.backward(retain_graph=True),
            ),
            "still has the graph",
        ),
        (pieces_but(between=lambda h, start: start), "begins with the first state"),
        (pieces_but(between=begins_with_zeros), "begins with zeros"),
        (pieces_but(between=lambda h, start: 0 * start), "state h that you were given"),
        (
            pieces_but(between=lambda h, s: h.detach() if h is s else h.detach() / 2),
            "does not begin with the state after",
        ),
        (pieces_but(back=lambda loss, m: None), "backward never ran"),
        (pieces_but(back=lambda loss, m: (loss / m).backward()), "not on its mean"),
        (pieces_but(back=lambda loss, m: (loss / 21).backward()), "of the mean"),
        (pieces_but(back=lambda loss, m: (loss * 3).backward()), "not the sum over"),
        (all_at_the_end, "once for each piece, before the next"),
        (not_the_last, "for the last piece, too"),
        (pieces_but(mean=lambda s, m: sum(s)), "sum of the losses"),
        (pieces_but(mean=lambda s, m: sum(s) / len(s)), "divided by the pieces"),
        (
            pieces_but(mean=lambda s, m: sum(map(float.__truediv__, s, m)) / len(s)),
            "mean of the pieces' means",
        ),
        (without_graph, "does not require grad"),
        (pieces_but(mean=lambda s, m: s[-1]), "loss of the last piece alone"),
        (pieces_but(mean=lambda s, m: s[-1] / m[-1]), "mean of the last piece alone"),
        (
            pieces_but(mean=lambda s, m: sum(s) / m[0]),
            "not the mean loss per prediction",
        ),
        (
            pieces_but(mean=lambda s, m: sum(s) / (sum(m) + 1)),
            "by all characters, but the first",
        ),
        (pieces_but(mean=lambda s, m: 1.0), "not the mean loss per prediction"),
        (pieces_but(last=lambda h, start: start), "the state after the last piece"),
        (lambda *a: in_pieces(*a)[0], "return two things"),
        (
            pieces_but(x=lambda text, n: text[:-1, None].split(n)),
            "one dimension for x",
        ),
    ],
}
