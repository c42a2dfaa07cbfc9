"""The checks of Part 6's exercises: recurrent nets, in raw tensors."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from charlm.book.exercises.answers import Check, Wrong, call, judge, read_number
from charlm.book.exercises.tensors import Case, call_either, match, near, tensors

SINGLE, DOUBLE = torch.float32, torch.float64


def _two(result: Any, what: str) -> tuple[Any, Any]:
    """Return both things that the reader's function returned. Else raises Wrong."""
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Wrong(f"It should return two things, {what}.")
    first, second = result
    return first, second


def _padded(lengths: Sequence[int], V: int, seed: int, dtype: torch.dtype) -> Case:
    """Return logits (B, T, V) and targets (B, T): names that end by 0, then -1."""
    g = torch.Generator().manual_seed(seed)
    B, T = len(lengths), max(lengths)
    y = torch.randint(1, V, (B, T), generator=g)
    for row, n in zip(y, lengths):
        row[n - 1], row[n:] = 0, -1
    logits = 2 * torch.randn(B, T, V, dtype=torch.float64, generator=g)
    logits[0, 0, torch.arange(V) != y[0, 0]] -= 200  # sure, so its loss is 0
    return Case(f"B = {B}, T = {T}, V = {V}", (logits.to(dtype), y))


def _places(logits: Tensor, y: Tensor) -> Tensor:
    """Return the loss at each place, (B, T), 0 where there is nothing to predict."""
    flat = F.cross_entropy(
        logits.flatten(0, 1), y.flatten(), ignore_index=-1, reduction="none"
    )
    return flat.view(y.shape)


def _masked_loss(answer: Any) -> None:
    """A function of logits and y: the loss of each name (B,), and the mean."""
    cases = [
        _padded([3, 7, 5, 1, 6, 2], 11, 0, SINGLE),
        _padded([4, 2], 27, 1, DOUBLE),
        _padded([5, 5, 5], 5, 2, SINGLE),
        _padded([4], 8, 3, DOUBLE),
    ]
    before = ""
    for label, (logits, y), _ in cases:
        case = f"Right for {before}. But for {label}" if before else f"For {label}"
        result = call_either(answer, logits, y)
        by_name, mean = _two(result, "the loss of each name and the mean")
        _by_name(by_name, logits, y, case)
        _mean(read_number(mean), logits, y, case)
        before = before or label


def _by_name(by_name: Any, logits: Tensor, y: Tensor, case: str) -> None:
    if not isinstance(by_name, Tensor) or not by_name.is_floating_point():
        raise Wrong("The loss of each name should be a tensor of floats, (B,).")
    by_name, places = by_name.detach(), _places(logits, y)
    if near(by_name, places.sum(1)):
        return
    n = (y >= 0).sum(1)
    as_ends = -logits.log_softmax(2).gather(2, y.clamp(min=0)[..., None])[..., 0]
    as_last = F.one_hot(y % logits.shape[2], logits.shape[2])
    as_last = -(logits.log_softmax(2) * as_last).sum(2)
    mistakes = {
        "That is the mean over each name's places; take the sum. See hint 2.": (
            places.sum(1) / n
        ),
        "The padding counts, as if it had the target 0. See hint 1.": as_ends.sum(1),
        "The padding counts, as if it had the last character of the vocabulary for "
        "its target: that is what the index -1 takes. See hint 1.": as_last.sum(1),
        "The sign is wrong: a loss is not negative.": -places.sum(1),
        "The 0 that ends a name has a loss, too.": places.masked_fill(y == 0, 0).sum(1),
        "That is the mean over all T places, padding included; take the sum. See "
        "hint 2.": places.mean(1),
        "Sum over the places of a name, not over the names. See hint 2.": places.sum(0),
    }
    for mistake, wrong in mistakes.items():
        if near(by_name, wrong):
            raise Wrong(mistake)
    if by_name.shape != y.shape[:1]:
        shapes = f"({len(y)},), not {tuple(by_name.shape)}"
        raise Wrong(f"{case} the loss of each name should have shape {shapes}.")
    raise Wrong(f"{case} the loss of each name is not right. See hint 2.")


def _mean(value: float, logits: Tensor, y: Tensor, case: str) -> None:
    places, n = _places(logits, y), (y >= 0).sum(1)

    def same(wrong: Tensor) -> bool:
        return math.isclose(value, wrong.item(), rel_tol=1e-4)

    if same(places.sum() / n.sum()):
        return
    mistakes = {
        "Each name is right, but the mean is one of names, in which a place of a short "
        "name weighs more. See hint 3.": (places.sum(1) / n).mean(),
        "Each name is right, but the mean divides by the padding, too. See hint 3.": (
            places.mean()
        ),
        "Each name is right, but that is the mean per name; take it per place that has "
        "a target. See hint 3.": places.sum(1).mean(),
        "Each name is right, but that is the sum; take the mean. See hint 3.": (
            places.sum()
        ),
        "Each name is right, but the mean counts the losses that are not 0; a place "
        "with a target counts even if its loss is 0. See hint 3.": (
            places.sum() / places.count_nonzero()
        ),
    }
    for mistake, wrong in mistakes.items():
        if same(wrong):
            raise Wrong(mistake)
    raise Wrong(f"{case} each name is right, but the mean is not. See hint 3.")


def _gru(
    x: Tensor,
    h: Tensor,
    W: Tensor,
    U: Tensor,
    b: Tensor,
    c: Tensor,
    *,
    order: str = "rzn",
    kept: bool = True,
    reset: str = "after",
    squash: Callable[[Tensor], Tensor] = torch.tanh,
) -> Tensor:
    """Return the next state of a GRU, (B, I), (B, H) -> (B, H), right or wrong.

    Parameters
    ----------
    x : the input
    h : the state
    W : (3 * H, I)
    U : (3 * H, H)
    b : the bias of x, (3 * H,)
    c : the bias of h, (3 * H,)
    order : of the blocks in W, U, b and c
    kept : whether z keeps the old state, or the candidate
    reset : where the reset gate acts: "after" or "before" the matrix, "inside" its
        bias, or "not" at all
    squash : what is applied to the candidate
    """
    at = {name: i for i, name in enumerate(order)}
    Ws, Us, bs, cs = (t.chunk(3) for t in (W, U, b, c))

    def part(name: str, h: Tensor) -> tuple[Tensor, Tensor]:
        i = at[name]
        return x @ Ws[i].T + bs[i], h @ Us[i].T

    r, z = (torch.sigmoid(torch.add(*part(name, h)) + cs[at[name]]) for name in "rz")
    new, old = part("n", r * h if reset == "before" else h)
    bias = cs[at["n"]]
    by_reset = {
        "after": r * (old + bias),
        "before": old + bias,
        "inside": r * old + bias,
        "not": old + bias,
    }
    n = squash(new + by_reset[reset])
    return (1 - z) * n + z * h if kept else z * n + (1 - z) * h


def _gru_cell(answer: Any) -> None:
    """A function of x, h and the four parameters of torch.nn.GRUCell."""

    def case(B: int, I: int, H: int, dtype: torch.dtype) -> Case:
        shapes = (B, I), (B, H), (3 * H, I), (3 * H, H), (3 * H,), (3 * H,)
        arguments = tuple(tensors(*shapes, seed=B, dtype=dtype))
        return Case(f"B = {B}, I = {I}, H = {H}", arguments)

    def right(x: Tensor, h: Tensor, *parameters: Tensor) -> Tensor:
        cell = torch.nn.GRUCell(x.shape[1], h.shape[1], dtype=x.dtype)
        with torch.no_grad():
            for p, value in zip(cell.parameters(), parameters, strict=True):
                p.copy_(value)
            out: Tensor = cell(x, h)
        return out

    def without(*biases: int) -> Callable[..., Tensor]:
        return lambda *a: _gru(
            *a[:4], *(0 * a[i] if i in biases else a[i] for i in (4, 5))
        )

    mistakes: dict[str, Callable[..., Tensor]] = {
        "The update gate works the wrong way round. See hint 2.": partial(
            _gru, kept=False
        ),
        "The reset gate acts on h before the matrix, as in the paper; here it acts "
        "after it. See hint 1.": partial(_gru, reset="before"),
        "The reset gate leaves out the bias of the candidate's product with h. See "
        "hint 1.": partial(_gru, reset="inside"),
        "The reset gate is missing from the candidate. See hint 1.": partial(
            _gru, reset="not"
        ),
        "Reset and update gate are swapped: r has the first block of rows.": partial(
            _gru, order="zrn"
        ),
        "The candidate is squashed by a sigmoid; it should be tanh.": partial(
            _gru, squash=torch.sigmoid
        ),
        "The candidate is not squashed: where is its tanh?": partial(
            _gru, squash=lambda t: t
        ),
        "Both biases are missing.": without(4, 5),
        "The bias b_hh is missing.": without(5),
        "The bias b_ih is missing.": without(4),
    }
    cases = [
        case(4, 3, 5, SINGLE),
        case(2, 6, 4, DOUBLE),
        case(1, 1, 1, SINGLE),
        case(3, 5, 5, DOUBLE),
    ]
    match(answer, cases, right, mistakes, "See hint 1.")


def _mgu(
    x: Tensor,
    W: Tensor,
    U: Tensor,
    b: Tensor,
    *,
    renewed: bool = True,
    gated: str = "before",
    swapped: bool = False,
    carried: bool = True,
    squash: Callable[[Tensor], Tensor] = torch.tanh,
) -> Tensor:
    """Return all states of a minimal gated unit, (B, T, I) -> (B, T, H).

    Parameters
    ----------
    x : the input
    W : (I, 2 * H): the gate's columns, then the candidate's
    U : (H, 2 * H)
    b : (2 * H,)
    renewed : whether f says how much is new, or how much is kept
    gated : where f acts in the candidate: "before" the matrix, "after" it, or "not"
    swapped : whether the candidate's columns come first
    carried : whether the state is carried on, or is zero before each place
    squash : what is applied to the candidate
    """
    (Wf, Wn), (Uf, Un), (bf, bn) = (t.chunk(2, -1) for t in (W, U, b))
    if swapped:
        Wf, Wn, Uf, Un, bf, bn = Wn, Wf, Un, Uf, bn, bf
    h, states = x.new_zeros(len(x), len(U)), []
    for t in range(x.shape[1]):
        f = torch.sigmoid(x[:, t] @ Wf + h @ Uf + bf)
        old = {"before": (f * h) @ Un, "after": f * (h @ Un), "not": h @ Un}[gated]
        n = squash(x[:, t] @ Wn + old + bn)
        new = (1 - f) * h + f * n if renewed else f * h + (1 - f) * n
        states.append(new)
        h = new if carried else h
    return torch.stack(states, dim=1)


def _minimal(answer: Any) -> None:
    """A function of x, W, U and b: all states of a minimal gated unit."""

    def case(B: int, T: int, I: int, H: int, dtype: torch.dtype) -> Case:
        shapes = (B, T, I), (I, 2 * H), (H, 2 * H), (2 * H,)
        arguments = tuple(tensors(*shapes, seed=T, dtype=dtype))
        return Case(f"B = {B}, T = {T}, I = {I}, H = {H}", arguments)

    mistakes: dict[str, Callable[..., Tensor]] = {
        "The last line works the wrong way round: f says how much is new. See hint "
        "2.": partial(_mgu, renewed=False),
        "The candidate reads the whole old state; f should choose from it. See hint "
        "1.": partial(_mgu, gated="not"),
        "In the candidate f acts after the matrix; here it acts before. See hint 1.": (
            partial(_mgu, gated="after")
        ),
        "Gate and candidate are swapped: the gate has the first H columns.": partial(
            _mgu, swapped=True
        ),
        "Every place begins with zeros; carry the state on. See hint 3.": partial(
            _mgu, carried=False
        ),
        "The candidate is squashed by a sigmoid; it should be tanh.": partial(
            _mgu, squash=torch.sigmoid
        ),
        "That is the last state alone; return all of them. See hint 3.": (
            lambda *a: _mgu(*a)[:, -1]
        ),
        "The states are right, but T is dimension 0: stack them along dimension 1. "
        "See hint 3.": lambda *a: _mgu(*a).transpose(0, 1),
        "The bias is missing.": lambda x, W, U, b: _mgu(x, W, U, 0 * b),
    }
    cases = [
        case(3, 6, 4, 5, SINGLE),
        case(2, 3, 5, 4, DOUBLE),
        case(1, 1, 2, 3, SINGLE),
        case(4, 9, 3, 3, DOUBLE),
    ]
    match(answer, cases, _mgu, mistakes, "See hints 1 and 3.")


BLOCKS = {"RNN": 1, "GRU": 3, "LSTM": 4}


def _count(answer: Any) -> None:
    """A function of the cell's name, V and H: the number of parameters."""
    for V, H in ((27, 160), (27, 64), (50, 7), (3, 256)):
        for cell, k in BLOCKS.items():
            value = read_number(call(answer, cell, V, H))
            if value != _parameters(k, V, H):
                raise Wrong(_miscounted(value, cell, V, H))


def _parameters(k: int, V: int, H: int) -> int:
    return k * (V * H + H * H + H) + H * V + V


def _miscounted(value: float, cell: str, V: int, H: int) -> str:
    """Return what is wrong with a count of parameters."""
    k, case = BLOCKS[cell], f"For {cell}, V = {V} and H = {H}"
    right = _parameters(k, V, H)
    for other, blocks in (("RNN", 1), (None, 2), ("GRU", 3), ("LSTM", 4), (None, 5)):
        if blocks != k and value == _parameters(blocks, V, H):
            said = f"as many blocks as {other} has" if other else f"{blocks} blocks"
            return f"{case} you count {said}. See hint 1."
    k_only = f"{case} you give only one block"
    mistakes = {
        f"{case} the last layer's bias is missing. See hint 2.": right - V,
        f"{case} the last layer is missing. See hint 2.": right - H * V - V,
        f"{case} the blocks' biases are missing. See hint 1.": right - k * H,
        f"{case} all biases are missing. See hint 1.": right - k * H - V,
        f"{case} each block has two biases; here it has one.": right + k * H,
        f"{case} the table is missing. See hint 1.": right - k * V * H,
        f"{case} the matrices from state to state are missing. See hint 1.": (
            right - k * H * H
        ),
        (
            f"{case} the last layer reads the memory, too; h is enough. See hint 2."
            if cell == "LSTM"
            else f"{case} there is an embedding too many: the table is embedding and "
            "input matrix in one. See hint 1."
        ): right + V * H,
    }
    if k > 1:  # with one block they are right
        mistakes |= {
            f"{k_only} its numbers in the table. See hint 1.": right - (k - 1) * V * H,
            f"{k_only} a matrix. See hint 1.": right - (k - 1) * H * H,
            f"{k_only} a bias. See hint 1.": right - (k - 1) * H,
        }
    found = [mistake for mistake, count in mistakes.items() if count == value]
    if len(found) == 1:  # two mistakes may give one number
        return found[0]
    return f"{case} it is not {value:g}. See hint 1."


def _jacobians(states: Tensor, U: Tensor, late: int = 0) -> list[Tensor]:
    """Return d h_t / d h_(t-1) from the last step back, a row for each of h_(t-1)."""
    slopes = 1 - states**2  # (T, H)
    if late:
        slopes = slopes.roll(late, dims=0)
    return [U * s for s in slopes.flip(0)][:-1]


def _norms(
    states: Tensor,
    U: Tensor,
    *,
    ord: Any = 2,
    late: int = 0,
    backwards: bool = False,
    of_each: bool = False,
) -> Tensor:
    """Return the norm of d h_T / d h_(T-k) for each lag k, right or wrong: (T,).

    Parameters
    ----------
    states : h_1 to h_T, (T, H)
    U : from state to state, (H, H)
    ord : which norm
    late : by how many places the slopes are late
    backwards : whether the matrices are multiplied in the other order
    of_each : whether the norms are multiplied instead of the matrices
    """
    J = torch.eye(len(U), dtype=U.dtype)
    found = [torch.linalg.matrix_norm(J, ord)]
    for M in _jacobians(states, U, late):
        J = J @ M if backwards else M @ J
        norm = torch.linalg.matrix_norm(M, ord)
        found.append(found[-1] * norm if of_each else torch.linalg.matrix_norm(J, ord))
    return torch.stack(found)


def _through_time(answer: Any) -> None:
    """A function of states (T, H) and U (H, H): a norm for each lag, (T,)."""

    def case(T: int, H: int, gain: float, dtype: torch.dtype) -> Case:
        inputs, U = tensors((T, H), (H, H), seed=T, dtype=torch.float64)
        U, h, states = U * gain / H**0.5, torch.zeros(H, dtype=torch.float64), []
        for x in inputs:
            h = torch.tanh(x + h @ U)
            states.append(h)
        arguments = torch.stack(states).to(dtype), U.to(dtype)
        return Case(f"T = {T}, H = {H}", arguments)

    def no_slope(states: Tensor, U: Tensor) -> Tensor:
        return _norms(0 * states, U)

    def unsquared(states: Tensor, U: Tensor) -> Tensor:
        J = torch.eye(len(U), dtype=U.dtype)
        found = [torch.linalg.matrix_norm(J, 2)]
        for h in states.flip(0)[:-1]:
            J = (U * (1 - h)) @ J
            found.append(torch.linalg.matrix_norm(J, 2))
        return torch.stack(found)

    def rows_scaled(states: Tensor, U: Tensor) -> Tensor:
        return _norms(states, U.T)

    def rows_scaled_forwards(states: Tensor, U: Tensor) -> Tensor:
        return _norms(states, U.T, backwards=True)

    rows = "The slopes scale the rows of U; they should scale its columns."
    mistakes: dict[str, Callable[..., Tensor]] = {
        "Those are the powers of U alone: where is the slope of tanh? See hint 1.": (
            no_slope
        ),
        "The slope of tanh is 1 - h², with a square. See hint 1.": unsquared,
        "That is the norm of all entries as one vector; take the largest singular "
        "value.": partial(_norms, ord="fro"),
        "That multiplies the norms of the steps; multiply the matrices, then take the "
        "norm. See hint 2.": partial(_norms, of_each=True),
        "The slopes are one place off: which state does tanh give in the step from "
        "h_(t-1) to h_t? See hint 1.": partial(_norms, late=1),
        "The matrices are multiplied in the wrong order. See hint 3.": partial(
            _norms, backwards=True
        ),
        f"{rows} See hint 1.": rows_scaled,
        f"{rows} See hints 1 and 3.": rows_scaled_forwards,
        "The lags come in the other order: the first number belongs to lag 0.": (
            lambda *a: _norms(*a).flip(0)
        ),
        "Lag 0 is missing: what is the derivative of h_T by itself?": (
            lambda *a: _norms(*a)[1:]
        ),
    }
    cases = [
        case(7, 5, 1.2, SINGLE),
        case(4, 8, 2.0, DOUBLE),
        case(12, 3, 1.0, DOUBLE),
        case(1, 4, 1.0, SINGLE),
    ]
    match(answer, cases, _norms, mistakes, "See hints 1 and 3.")


class _Listener:
    """A small net on a text, and a record of what a reader's function does with it."""

    def __init__(self, V: int, H: int, seed: int) -> None:
        shapes = (V, H), (H, H), (H, V)
        self.parameters = [
            p.requires_grad_() for p in tensors(*shapes, seed=seed, dtype=SINGLE)
        ]
        self.pieces: list[tuple[Any, Any, Any]] = []  # x, y, h as they came
        self.states: list[Tensor] = []  # what each call returned, detached
        self.on_graph: list[bool] = []  # whether the state that came had a history
        self.backwards: list[int] = []  # how many backwards had run at each call
        self.done = 0

    def loss(self, x: Tensor, y: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return the summed loss of a piece and the state after it."""
        table, U, out = self.parameters
        total = out.new_zeros(())
        for i, target in zip(x.tolist(), y.tolist(), strict=True):
            h = torch.tanh(0.5 * table[i] + 0.5 * h @ U)
            total = total - (h @ out).log_softmax(0)[target]
        return total, h

    def __call__(self, x: Any, y: Any, h: Any) -> tuple[Tensor, Tensor]:
        for name, t in (("x", x), ("y", y), ("h", h)):
            if not isinstance(t, Tensor) or t.dim() != 1:
                raise Wrong(f"loss_of wants a tensor of one dimension for {name}.")
        if not len(x):
            raise Wrong("loss_of got a piece without any character. See hint 2.")
        if len(x) != len(y):
            raise Wrong(
                f"A piece has {len(x)} characters and {len(y)} targets: each character "
                "needs the one after it. See hint 2."
            )
        self.pieces.append((x.clone(), y.clone(), h.detach().clone()))
        self.on_graph.append(h.grad_fn is not None)
        self.backwards.append(self.done)
        total, h = self.loss(x, y, h)
        if total.requires_grad:
            total.register_hook(self._ran)
        self.states.append(h.detach().clone())
        return total, h

    def _ran(self, grad: Tensor) -> None:
        self.done += 1


def _in_pieces(answer: Any) -> None:
    """A function of loss_of, text, h and n: truncated backpropagation through time."""
    for N, n, seed in ((22, 6, 0), (21, 4, 1), (6, 9, 2), (9, 1, 3)):
        V, H = 7, 3
        net = _Listener(V, H, seed)
        g = torch.Generator().manual_seed(seed)
        text = torch.randint(V, (N,), generator=g)
        start = torch.randn(H, generator=g)
        try:
            with torch.enable_grad():
                result = call(answer, net, text, start, n)
        except Wrong:
            if any(net.on_graph):
                raise Wrong(HISTORY) from None
            raise
        case = f"(N = {N}, n = {n}.)"
        _pieces(net, text, n, case)
        _carried(net, start)
        _learned(net, text, start, n, case)
        mean, state = _two(result, "the mean loss and the last state")
        _reported(read_number(mean), state, net, n, N, case)
        if isinstance(mean, Tensor) and mean.requires_grad:
            raise Wrong(
                "The mean loss keeps the graphs of all pieces: add loss.item()."
            )


HISTORY = (
    "A piece got a state that still has the graph of the pieces before it. See hint 1."
)


def _pieces(net: _Listener, text: Tensor, n: int, case: str) -> None:
    """Raise Wrong unless each character but the first is predicted, in pieces of n."""
    pieces = [(x.tolist(), y.tolist()) for x, y, _ in net.pieces]
    if not pieces:
        raise Wrong("It never calls loss_of.")
    longest = max(len(x) for x, _ in pieces)
    if longest > n:
        raise Wrong(f"A piece has {longest} characters, n is {n}. See hint 2. {case}")
    x, y = text[:-1].split(n), text[1:].split(n)
    right = [(a.tolist(), b.tolist()) for a, b in zip(x, y)]
    if pieces == right:
        return
    if all(a == b for a, b in pieces):
        raise Wrong("The targets are the characters themselves, not the next ones.")
    cut = [c.tolist() for c in text.split(n)]
    if pieces == [(c[:-1], c[1:]) for c in cut if len(c) > 1] or pieces == [
        (c[:-1], c[1:]) for c in cut
    ]:
        raise Wrong(
            "The first character of each later piece is never a target. See hint 2."
        )
    if pieces == right[:-1]:
        raise Wrong(f"The last piece, which is shorter, is left out. {case}")
    asked, wanted = sum(len(x) for x, _ in pieces), len(text) - 1
    if asked != wanted:
        raise Wrong(
            f"There should be {wanted} predictions in all, not {asked}. See hint 2. "
            f"{case}"
        )
    raise Wrong(
        f"The pieces are not the text in order, {n} characters each. See hint 2. {case}"
    )


def _carried(net: _Listener, start: Tensor) -> None:
    """Raise Wrong unless each piece begins with the state after the last, detached."""
    came = [h for _, _, h in net.pieces]
    if not came[0].equal(start):
        raise Wrong(
            "The first piece should begin with the state h that you were given."
        )
    if not all(a.equal(b) for a, b in zip(came[1:], net.states)):
        if all(a.equal(start) for a in came):
            raise Wrong("Every piece begins with the first state: carry it on.")
        if not any(a.any() for a in came[1:]):
            raise Wrong("Every later piece begins with zeros: carry the state on.")
        raise Wrong("A piece does not begin with the state after the one before it.")
    if any(net.on_graph):
        raise Wrong(HISTORY)


def _learned(net: _Listener, text: Tensor, start: Tensor, n: int, case: str) -> None:
    """Raise Wrong unless the parameters have the truncated gradients, added."""
    if not net.done:
        raise Wrong("backward never ran on a loss of loss_of. See hint 3.")
    if net.backwards != list(range(len(net.pieces))):
        raise Wrong(
            "backward should run once for each piece, before the next one: the graph "
            "then never gets longer than a piece. See hint 3."
        )
    if net.done != len(net.pieces):
        raise Wrong("backward should run for the last piece, too. See hint 3.")
    sums, means = ([torch.zeros_like(p) for p in net.parameters] for _ in range(2))
    h = start
    for x, y in zip(text[:-1].split(n), text[1:].split(n)):
        loss, h = net.loss(x, y, h.detach())
        grads = torch.autograd.grad(loss, net.parameters)
        sums = [a + b for a, b in zip(sums, grads)]
        means = [a + b / len(x) for a, b in zip(means, grads)]

    def same(right: list[Tensor]) -> bool:
        return all(
            p.grad is not None and near(p.grad, g, 1e-4)
            for p, g in zip(net.parameters, right)
        )

    if same(sums):
        return
    if same(means):
        raise Wrong("Call backward on the sum of a piece, not on its mean.")
    if same([g / (len(text) - 1) for g in sums]):
        raise Wrong("The gradients are those of the mean: call backward on the sums.")
    raise Wrong(f"The gradients are not the sum over the pieces. See hint 3. {case}")


def _reported(
    mean: float, state: Any, net: _Listener, n: int, N: int, case: str
) -> None:
    """Raise Wrong unless the mean loss and the last state are right."""
    with torch.no_grad():
        sums = [net.loss(*piece)[0].item() for piece in net.pieces]
    total = sum(sums)
    lengths = [len(x) for x, _, _ in net.pieces]
    wrong = {
        "The first number is the sum of the losses; divide by the predictions.": total,
        "The first number is the sum divided by the pieces; divide by the "
        "predictions.": total / len(sums),
        "The first number is the mean of the pieces' means: a short piece then weighs "
        "as much as a long one.": sum(s / m for s, m in zip(sums, lengths)) / len(sums),
        "The first number is the loss of the last piece alone.": sums[-1],
        "The first number is the mean of the last piece alone.": sums[-1] / lengths[-1],
        "The first number divides by all characters, but the first of them is not "
        "predicted.": total / N,
    }
    if not math.isclose(mean, total / (N - 1), rel_tol=1e-4):
        for mistake, value in wrong.items():
            if math.isclose(mean, value, rel_tol=1e-4):
                raise Wrong(mistake)
        raise Wrong(f"The first number is not the mean loss per prediction. {case}")
    if not isinstance(state, Tensor) or not near(state.detach(), net.states[-1]):
        raise Wrong("The second thing should be the state after the last piece.")


CHECKS: dict[str, Check] = {
    "6.1": _masked_loss,
    "6.2": _gru_cell,
    "6.3": _minimal,
    "6.4": _count,
    "6.5": _through_time,
    "6.6": _in_pieces,
}

check = partial(judge, CHECKS)
