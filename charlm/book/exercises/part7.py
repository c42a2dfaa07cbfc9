"""The checks of Part 7's exercises: attention, in raw tensors."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from charlm.book.exercises.answers import (
    Check,
    Wrong,
    call,
    judge,
    read_number,
)
from charlm.book.exercises.tensors import Case, call_either, match, near, tensors

SINGLE, DOUBLE = torch.float32, torch.float64


def _future(T: int) -> Tensor:
    """Return where a row's place looks at a later one, (T, T)."""
    return torch.ones(T, T, dtype=torch.bool).triu(1)


def _hidden(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the scores, minus infinity where the mask is True, or in the future."""
    mask = _future(scores.shape[-1]) if mask is None else mask
    return scores.masked_fill(mask, -math.inf)


def _weights(scores: Tensor) -> Tensor:
    """Return the causal weights of scores, right: (..., T, T) -> the same."""
    return _hidden(scores).softmax(-1)


def _causal_mask(answer: Any) -> None:
    """A function of scores (B, T, T): the weights, none of them on a later place."""

    def case(B: int, T: int, dtype: torch.dtype) -> Case:
        return Case(f"B = {B}, T = {T}", tuple(tensors((B, T, T), seed=T, dtype=dtype)))

    (scores,) = tensors((2, 6, 6), seed=1, dtype=SINGLE)
    large = torch.cat([300 * scores, scores - 990])
    mistakes: dict[str, Callable[..., Tensor]] = {
        "Nothing is masked: places still read later ones. See hint 1.": (
            lambda s: s.softmax(-1)
        ),
        "The mask is applied after the softmax, so the rows do not sum to 1. See hint "
        "2.": lambda s: s.softmax(-1).tril(),
        "A score of 0 is a score like any other: the masked places get weights, too. "
        "See hint 2.": lambda s: s.tril().softmax(-1),
        "The mask is the wrong way round: each place reads itself and later ones. See "
        "hint 1.": lambda s: _hidden(s, _future(s.shape[-1]).T).softmax(-1),
        "The mask is the wrong way round: each place reads only later ones. See hint "
        "1.": lambda s: _hidden(s, ~_future(s.shape[-1])).softmax(-1),
        "The place itself is masked as well, so the first one has nothing to read. "
        "See hint 1.": lambda s: _hidden(s, ~_future(s.shape[-1]).T).softmax(-1),
        "The columns sum to 1; the rows should. See hint 2.": (
            lambda s: _hidden(s).softmax(-2)
        ),
        "Those are masked scores; make weights of them. See hint 2.": _hidden,
    }
    cases = [
        case(2, 5, SINGLE),
        case(3, 7, DOUBLE),
        case(1, 1, SINGLE),
        Case("scores of 0", (0 * scores,), "Mask places, not scores. See hint 1."),
        Case("scores in the hundreds", (large,), "See hint 3."),
    ]
    match(answer, cases, _weights, mistakes, "See hint 2.")


def _attend(q: Tensor, k: Tensor, v: Tensor, scale: float | None = None) -> Tensor:
    """Return what causal attention reads: (..., T, D) each -> the same.

    Parameters
    ----------
    q : queries
    k : keys
    v : values
    scale : the factor of the scores; None for 1 / sqrt(D)
    """
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    return _weights(scale * q @ k.mT) @ v


def _head(answer: Any) -> None:
    """A function of x (B, T, C) and three matrices (C, D): one head, (B, T, D)."""

    def case(B: int, T: int, C: int, D: int, dtype: torch.dtype) -> Case:
        x, *W = tensors((B, T, C), (C, D), (C, D), (C, D), seed=T, dtype=dtype)
        return Case(f"B = {B}, T = {T}, C = {C}, D = {D}", (x, *(w / 2 for w in W)))

    def scaled(power: float, of: str = "D") -> Callable[..., Tensor]:
        def wrong(x: Tensor, Q: Tensor, K: Tensor, V: Tensor) -> Tensor:
            n = {"D": Q.shape[1], "C": Q.shape[0], "T": x.shape[1]}[of]
            return _attend(x @ Q, x @ K, x @ V, n**power)

        return wrong

    def with_weights(weights: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
        def wrong(x: Tensor, Q: Tensor, K: Tensor, V: Tensor) -> Tensor:
            return weights(x @ Q @ (x @ K).mT * Q.shape[1] ** -0.5) @ x @ V

        return wrong

    mistakes: dict[str, Callable[..., Tensor]] = {
        "The scores are not divided by anything. See hint 2.": scaled(0),
        "The scores are divided by 4. Here D = 4: its root is 2.": scaled(-1),
        "The scores are divided by the root of C; how many products does a score add? "
        "See hint 2.": scaled(-0.5, "C"),
        "The scores are divided by the root of T; how many products does a score add? "
        "See hint 2.": scaled(-0.5, "T"),
        "The scores are multiplied by the root of D. See hint 2.": scaled(0.5),
        "The weights are divided; divide the scores. See hint 2.": (
            lambda x, Q, K, V: _attend(x @ Q, x @ K, x @ V, 1) * Q.shape[1] ** -0.5
        ),
        "Places read later ones: where is the mask?": with_weights(
            lambda s: s.softmax(-1)
        ),
        "The mask is applied after the softmax, so the rows do not sum to 1.": (
            with_weights(lambda s: s.softmax(-1).tril())
        ),
        "A score of 0 is a score like any other: the masked places get weights, too.": (
            with_weights(lambda s: s.tril().softmax(-1))
        ),
        "The softmax runs over the queries; each query spreads its weights over keys. "
        "See hint 3.": with_weights(lambda s: _hidden(s).softmax(-2)),
        "Queries and keys are swapped: rows belong to queries. See hint 3.": (
            lambda x, Q, K, V: _attend(x @ K, x @ Q, x @ V)
        ),
        "The values are the keys: use all three matrices. See hint 1.": (
            lambda x, Q, K, V: _attend(x @ Q, x @ K, x @ K)
        ),
        "The values are x itself: use all three matrices. See hint 1.": (
            lambda x, Q, K, V: _attend(x @ Q, x @ K, x)
        ),
    }
    cases = [
        case(3, 6, 5, 4, SINGLE),
        case(2, 4, 7, 3, DOUBLE),
        case(1, 1, 4, 4, SINGLE),
        case(2, 9, 4, 8, DOUBLE),
    ]

    def right(x: Tensor, Q: Tensor, K: Tensor, V: Tensor) -> Tensor:
        return _attend(x @ Q, x @ K, x @ V)

    match(answer, cases, right, mistakes, "See hint 3.")


Model = Callable[[Tensor], Tensor]


def _causal_models(V: int) -> dict[str, Model]:
    """Return models without a leak, (B, T) -> (B, T, V), by what they do.

    All they add are whole numbers, so their logits have no rounding.
    """
    E, F = _tables(V)
    return {
        "each place sees itself alone": lambda ids: E[ids],
        "all logits are constant": lambda ids: torch.zeros(*ids.shape, V),
        "each place sums up itself and those before": lambda ids: E[ids].cumsum(1),
        "each place sees the first one": lambda ids: E[ids[:, :1]] + F[ids],
        "each place sees itself and the one before": lambda ids: (
            E[ids] + _shifted(F[ids], 1)
        ),
    }


def _leaky_models(V: int) -> dict[str, tuple[Model, str]]:
    """Return models with a leak, by what they do, each with the hint to read."""
    E, F = _tables(V)

    def first_sees_last(ids: Tensor) -> Tensor:
        out = E[ids]
        out[:, 0] += F[ids[:, -1]]
        return out

    def last_but_one(ids: Tensor) -> Tensor:
        out = E[ids]
        out[:, -2:-1] += F[ids[:, -1:]][:, : max(0, ids.shape[1] - 1)]
        return out

    def sees_next(t: int) -> Model:
        def model(ids: Tensor) -> Tensor:
            out = E[ids]
            if t + 1 < ids.shape[1]:
                out[:, t] += F[ids[:, t + 1]]
            return out

        return model

    def one_logit(ids: Tensor) -> Tensor:
        out = E[ids]
        out[..., -1] += _shifted(F[ids], -1)[..., 0]
        return out

    def sees(i: int) -> Model:
        def model(ids: Tensor) -> Tensor:
            out = E[ids]
            out[..., -1] += _shifted((ids == i).float()[..., None], -1)[..., 0]
            return out

        return model

    def whole_row(ids: Tensor) -> Tensor:
        return E[ids] + F[ids].sum(1, keepdim=True)

    return {
        "each place sees the next one": (
            lambda ids: E[ids] + _shifted(F[ids], -1),
            "1",
        ),
        "each place sees the sum of the whole row": (whole_row, "1 or 2"),
        "the first place sees the last one": (first_sees_last, "1 or 2"),
        "only the last but one sees the last": (last_but_one, "1 or 2"),
        "only the first place sees the second": (sees_next(0), "1 or 2"),
        "only the second place sees the third": (sees_next(1), "1 or 2"),
        "only one of the logits sees the next place": (one_logit, "2"),
        "the next place changes the logits by less than a hundredth": (
            lambda ids: E[ids] + _shifted(F[ids], -1) / 1024,
            "2",
        ),
        "the next place adds the same to all logits": (
            lambda ids: E[ids] + _shifted(F[ids], -1)[..., :1],
            "2",
        ),
        "each place sees whether the next one has the id 0": (sees(0), "2"),
        "each place sees whether the next one has the last id": (sees(V - 1), "2"),
        "only places with the id 2 see the next one": (
            lambda ids: E[ids] + _shifted(F[ids], -1) * (ids == 2)[..., None],
            "2",
        ),
        "the next place changes the logits, but not their sum": (
            lambda ids: E[ids] + _shifted(F[ids] - F[ids].flip(-1), -1),
            "2",
        ),
    }


def _tables(V: int) -> tuple[Tensor, Tensor]:
    """Return two tables (V, V) of whole numbers; two rows differ in each column."""
    g = torch.Generator().manual_seed(V)
    E, F = (
        torch.stack([torch.randperm(V, generator=g) for _ in range(V)], 1).float()
        for _ in range(2)
    )
    return E - V // 2, F - V // 2


def _shifted(x: Tensor, by: int) -> Tensor:
    """Return x (B, T, C) with what was at t - by at t, zeros elsewhere."""
    out = torch.zeros_like(x)
    if by > 0:
        out[:, by:] = x[:, :-by]
    else:
        out[:, :by] = x[:, -by:]
    return out


def _leaks(answer: Any) -> None:
    """A function of a model, V and T: whether logits depend on later ids."""
    found = {}
    for V, T in ((5, 6), (9, 4)):
        for what, model in _causal_models(V).items():
            said = _yes(call(answer, model, V, T))
            found[what, "", V, T] = said
        for what, (model, hint) in _leaky_models(V).items():
            # Three times: a test with too little chance finds a leak now and then.
            found[what, hint, V, T] = all(
                _yes(call(answer, model, V, T)) for _ in range(3)
            )
    if all(said == (not hint) for (_, hint, _, _), said in found.items()):
        raise Wrong("It is the other way round: True should mean that there is a leak.")
    for (what, hint, V, T), said in found.items():
        case = f"(V = {V}, T = {T}.)"
        if said and not hint:
            raise Wrong(
                f"It finds a leak where there is none: in this model {what}. See hint "
                f"3. {case}"
            )
        if hint and not said:
            raise Wrong(
                f"It misses a leak: in this model {what}. See hint {hint}. {case}"
            )


def _yes(said: Any) -> bool:
    """Return the answer as True or False. Raises Wrong unless it is one of them."""
    if isinstance(said, Tensor | np.ndarray) and math.prod(said.shape) == 1:
        said = said.item()
    if isinstance(said, bool | np.bool_) or (type(said) is int and said in (0, 1)):
        return bool(said)
    raise Wrong(f"Expected True or False, got {type(said).__name__}.")


def _waves(T: int, C: int, first: int = 0, power: float = 2.0) -> tuple[Tensor, Tensor]:
    """Return sines and cosines of T places, (T, C / 2) each.

    Parameters
    ----------
    T : how many places
    C : how many channels
    first : the number of the first place
    power : what i / C is multiplied by in the exponent of channels 2 i and 2 i + 1
    """
    place = torch.arange(first, first + T, dtype=torch.float64)[:, None]
    i = torch.arange(C // 2, dtype=torch.float64)
    angle = place / 10000 ** (power * i / C)
    return angle.sin(), angle.cos()


def _interleaved(*parts: Tensor) -> Tensor:
    return torch.stack(parts, dim=2).flatten(1)


def _sinusoids(answer: Any) -> None:
    """A function of T and C: sinusoidal positions, (T, C)."""

    def of_each_channel(T: int, C: int) -> Tensor:
        place = torch.arange(T, dtype=torch.float64)[:, None]
        channel = torch.arange(C, dtype=torch.float64)
        angle = place / 10000 ** (channel / C)
        return torch.where(channel % 2 == 0, angle.sin(), angle.cos())

    def multiplied(T: int, C: int) -> Tensor:
        place = torch.arange(T, dtype=torch.float64)[:, None]
        angle = place * 10000 ** (torch.arange(0, C, 2, dtype=torch.float64) / C)
        return _interleaved(angle.sin(), angle.cos())

    mistakes: dict[str, Callable[..., Tensor]] = {
        "Sines and cosines stand in two halves; here they take turns. See hint 2.": (
            lambda T, C: torch.cat(_waves(T, C), dim=1)
        ),
        "Sines and cosines are swapped. See hint 2.": (
            lambda T, C: _interleaved(*reversed(_waves(T, C)))
        ),
        "Both channels of a pair have one frequency; here each has its own. See hint "
        "1.": of_each_channel,
        "The exponent has i / C, without the 2. See hint 1.": (
            lambda T, C: _interleaved(*_waves(T, C, power=1.0))
        ),
        "The exponent is twice too large: are your i already even? See hint 1.": (
            lambda T, C: _interleaved(*_waves(T, C, power=4.0))
        ),
        "The first place is number 0, not 1.": (
            lambda T, C: _interleaved(*_waves(T, C, first=1))
        ),
        "The place is multiplied by the power; divide by it. See hint 1.": multiplied,
        "Places and channels are swapped: the shape should be (T, C).": (
            lambda T, C: _interleaved(*_waves(T, C)).T
        ),
    }
    cases = [
        Case(f"T = {T}, C = {C}", (T, C)) for T, C in ((7, 8), (20, 6), (1, 2), (4, 12))
    ]

    def right(T: int, C: int) -> Tensor:
        return _interleaved(*_waves(T, C)).float()

    match(answer, cases, right, mistakes, "See hint 1.", atol=2e-4)


def _by_distance(answer: Any) -> None:
    """A function of scores (B, T, T) and b (D,): weights with a bias by distance."""

    def case(B: int, T: int, D: int, dtype: torch.dtype) -> Case:
        arguments = tuple(tensors((B, T, T), (D,), seed=T, dtype=dtype))
        return Case(f"B = {B}, T = {T}, D = {D}", arguments)

    def distance(T: int) -> Tensor:
        place = torch.arange(T)
        return place[:, None] - place

    def right(s: Tensor, b: Tensor) -> Tensor:
        return _weights(s + b[distance(s.shape[-1]).clamp(0, len(b) - 1)])

    def by(numbers: Callable[[Tensor, int], Tensor]) -> Callable[..., Tensor]:
        return lambda s, b: _weights(s + b[numbers(distance(s.shape[-1]), len(b))])

    def zero_beyond(s: Tensor, b: Tensor) -> Tensor:
        d = distance(s.shape[-1])
        return _weights(s + b[d.clamp(0, len(b) - 1)] * (d < len(b)))

    def cut_off(s: Tensor, b: Tensor) -> Tensor:
        d = distance(s.shape[-1])
        near_enough = s.masked_fill(d >= len(b), -math.inf)
        return _weights(near_enough + b[d.clamp(0, len(b) - 1)])

    def unmasked(s: Tensor, b: Tensor) -> Tensor:
        return (s + b[distance(s.shape[-1]).clamp(0, len(b) - 1)]).softmax(-1)

    def unmasked_both_ways(s: Tensor, b: Tensor) -> Tensor:
        return (s + b[distance(s.shape[-1]).abs().clamp(max=len(b) - 1)]).softmax(-1)

    def afterwards(s: Tensor, b: Tensor) -> Tensor:
        return _weights(s) + b[distance(s.shape[-1]).clamp(0, len(b) - 1)]

    def multiplied(s: Tensor, b: Tensor) -> Tensor:
        return _weights(s * b[distance(s.shape[-1]).clamp(0, len(b) - 1)])

    mistakes: dict[str, Callable[..., Tensor]] = {
        "The bias changes nothing: it is missing, or the same for all that a place "
        "reads. See hint 1.": lambda s, b: _weights(s),
        "The biases come in the wrong order: b[0] belongs to the place itself. See "
        "hint 1.": by(lambda d, D: D - 1 - d.clamp(0, D - 1)),
        "Distances beyond the last bias start again at the first; they should share "
        "the last. See hint 2.": by(lambda d, D: d % D),
        "Distances beyond the last bias get none; they should share the last. See "
        "hint 2.": zero_beyond,
        "Distances beyond the last bias get no weight; they should share the last "
        "bias. See hint 2.": cut_off,
        "The bias belongs to the key's place, not to the distance. See hint 1.": by(
            lambda d, D: torch.arange(len(d)).clamp(max=D - 1).expand_as(d)
        ),
        "The bias is added to the weights; add it to the scores. See hint 3.": (
            afterwards
        ),
        "The scores are multiplied by the bias; add it.": multiplied,
        "Later places get weights: mask them. See hint 3.": unmasked,
        "Later places get weights: mask them, too. See hint 3.": unmasked_both_ways,
    }
    cases = [
        case(2, 6, 4, SINGLE),
        case(3, 4, 7, DOUBLE),
        case(1, 1, 1, SINGLE),
        case(2, 8, 2, DOUBLE),
        case(2, 3, 3, SINGLE),
    ]
    match(answer, cases, right, mistakes, "See hint 1.")


def _smoother(answer: Any) -> None:
    """A function of x, y (N,), at (M,) and a width: a kernel smoother, (M,)."""

    def case(N: int, M: int, width: float, dtype: torch.dtype) -> Case:
        x, y, at = tensors((N,), (N,), (M,), seed=N, dtype=dtype)
        return Case(f"N = {N}, M = {M}, width = {width:g}", (x, y, at, width))

    def scores(x: Tensor, at: Tensor, width: float) -> Tensor:
        return -((at[:, None] - x) ** 2) / (2 * width**2)

    def right(x: Tensor, y: Tensor, at: Tensor, width: float) -> Tensor:
        return scores(x, at, width).softmax(1) @ y

    def scaled(factor: Callable[[float], float]) -> Callable[..., Tensor]:
        return lambda x, y, at, w: (scores(x, at, w) * factor(w)).softmax(1) @ y

    mistakes: dict[str, Callable[..., Tensor]] = {
        "The weights do not sum to 1: divide by their sum. See hint 1.": (
            lambda x, y, at, w: scores(x, at, w).exp() @ y
        ),
        "The 2 below the square is missing. See hint 1.": scaled(lambda w: 2.0),
        "The width should be squared. See hint 1.": scaled(lambda w: w),
        "The width should be squared, and the 2 below the square is missing. See hint "
        "1.": scaled(lambda w: 2 * w),
        "The 2 below the square should not be squared itself. See hint 1.": scaled(
            lambda w: 0.5
        ),
        "The width multiplies where it should divide. See hint 1.": scaled(
            lambda w: w**4
        ),
        "The width is not used.": scaled(lambda w: w * w),
        "The distance should be squared. See hint 1.": lambda x, y, at, w: (
            (-(at[:, None] - x).abs() / (2 * w**2)).softmax(1) @ y
        ),
        "The sign of the scores is wrong: far points get most of the weight. See hint "
        "1.": scaled(lambda w: -1.0),
        "The weights sum to 1 for each point; they should for each question. See hint "
        "2.": lambda x, y, at, w: scores(x, at, w).softmax(0) @ y,
    }
    grid = torch.linspace(-2, 2, 9)
    (values,) = tensors((9,), seed=5, dtype=SINGLE)
    cases = [
        case(8, 5, 0.7, SINGLE),
        case(4, 6, 1.5, DOUBLE),
        case(3, 3, 0.4, SINGLE),
        case(1, 1, 1.0, DOUBLE),
        Case(
            "questions far from all points",
            (grid, values, torch.tensor([-18.0, 198.0]), 0.5),
            "See hint 3.",
        ),
    ]
    match(answer, cases, right, mistakes, "See hint 1.")


def _grouped(answer: Any) -> None:
    """A function of q, k, v: what grouped queries read, and the cached numbers."""
    before = ""
    for B, H, G, T, D, dtype in (
        (5, 15, 3, 7, 4, SINGLE),
        (3, 4, 2, 3, 5, DOUBLE),
        (1, 4, 1, 6, 2, SINGLE),
        (2, 3, 3, 1, 4, DOUBLE),
        (2, 8, 2, 7, 3, SINGLE),
    ):
        label = f"H = {H}, G = {G}, T = {T}"
        case = f"Right for {before}. But for {label}" if before else f"For {label}"
        q, k, v = tensors((B, H, T, D), (B, G, T, D), (B, G, T, D), seed=T, dtype=dtype)
        result = call_either(answer, q, k, v)
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise Wrong("It should return two things: what is read, and a count.")
        read, count = result
        if not isinstance(read, Tensor) or not read.is_floating_point():
            raise Wrong("What is read should be a tensor of floats.")
        _read_by_groups(read.detach(), q, k, v, case)
        _cached(read_number(count), q, k, case)
        before = before or label


def _read_by_groups(read: Tensor, q: Tensor, k: Tensor, v: Tensor, case: str) -> None:
    n = q.shape[1] // k.shape[1]

    def each(t: Tensor) -> Tensor:
        return t.repeat_interleave(n, dim=1)

    def turns(t: Tensor) -> Tensor:
        return t.repeat(1, n, 1, 1)

    if near(read, _attend(q, each(k), each(v))):
        return
    unmasked = (q @ each(k).mT * q.shape[3] ** -0.5).softmax(-1) @ each(v)
    first = k[:, :1].expand_as(q), v[:, :1].expand_as(q)
    means = k.mean(1, keepdim=True).expand_as(q), v.mean(1, keepdim=True).expand_as(q)
    mistakes = {
        "The heads take turns at the groups; neighbors should share one. See hint 1.": (
            _attend(q, turns(k), turns(v))
        ),
        "The keys go by neighbors, but the values take turns. See hint 1.": (
            _attend(q, each(k), turns(v))
        ),
        "The values go by neighbors, but the keys take turns. See hint 1.": (
            _attend(q, turns(k), each(v))
        ),
        "All heads read the first group. See hint 1.": _attend(q, *first),
        "All heads read the mean of the groups. See hint 1.": _attend(q, *means),
        "Places read later ones: where is the mask?": unmasked,
        "The scores are not divided by the root of D.": (
            _attend(q, each(k), each(v), 1.0)
        ),
    }
    for mistake, wrong in mistakes.items():
        if near(read, wrong):
            raise Wrong(mistake)
    if read.shape != q.shape:
        shapes = f"{tuple(q.shape)}, not {tuple(read.shape)}"
        raise Wrong(f"{case} what is read should have the shape {shapes}. See hint 2.")
    said = "has the right shape, but not the right numbers"
    raise Wrong(f"{case} what is read {said}. See hint 2.")


def _cached(count: float, q: Tensor, k: Tensor, case: str) -> None:
    B, G, T, D = k.shape
    H = q.shape[1]
    if count == 2 * B * G * T * D:
        return
    wrong = {
        "What is read is right, but the count is that of one key and value for each "
        "query head: the copies need no place. See hint 3.": 2 * B * H * T * D,
        "What is read is right, but keys *and* values are cached. See hint 3.": (
            B * G * T * D
        ),
        "What is read is right, but the count is that of one group; there are G. See "
        "hint 3.": 2 * B * T * D,
        "What is read is right, but the count holds for a single name; here there are "
        "B. See hint 3.": 2 * G * T * D,
        "What is read is right, but the count holds for a single place; T are kept. "
        "See hint 3.": 2 * B * G * D,
        "What is read is right, but queries are used once: they are not cached. See "
        "hint 3.": 2 * B * G * T * D + B * H * T * D,
    }
    found = [mistake for mistake, number in wrong.items() if number == count]
    if len(found) == 1:
        raise Wrong(found[0])
    raise Wrong(f"{case} what is read is right, but the count is not. See hint 3.")


def _context(answer: Any) -> None:
    """A function of words and n: the share of places whose past fits into n places."""
    for words, n in (
        (["io", "emma", "christopher", "al", "ava"], 3),
        (["io", "emma", "christopher", "al", "ava"], 5),
        (["a"], 1),
        (["olivia", "ava", "isabella"], 8),
        (["olivia", "ava", "isabella"], 20),
        (["bo", "li", "maximilian", "bo"], 2),
    ):
        value = read_number(call(answer, list(words), n))
        lengths = [len(word) for word in words]
        places = sum(L + 1 for L in lengths)
        right = sum(min(L + 1, n) for L in lengths) / places
        if math.isclose(value, right, rel_tol=1e-5):
            continue
        case = f"For {', '.join(words)} and n = {n}"
        raise Wrong(f"{case}: {_misjudged(value, lengths, places, n, right)}")


def _misjudged(
    value: float, lengths: Sequence[int], places: int, n: int, right: float
) -> str:
    """Return what is wrong with a share of places."""
    each = [length + 1 for length in lengths]
    wrong = {
        "the boundary needs one of the n places, too. See hint 1.": (
            sum(min(L, n) + 1 for L in lengths) / places
        ),
        "the place that predicts the end of a word is missing. See hint 2.": (
            sum(min(L, n) for L in lengths) / sum(lengths)
        ),
        "that is the share of the words, not of the places. See hint 2.": (
            sum(places <= n for places in each) / len(each)
        ),
        "that is the share of the words that have at most n letters. See hint 2.": (
            sum(length <= n for length in lengths) / len(lengths)
        ),
        "that is the mean of the words' shares, in which a short word weighs as much "
        "as a long one. See hint 2.": (
            sum(min(L + 1, n) / (L + 1) for L in lengths) / len(lengths)
        ),
        "that is the number of places, not their share.": right * places,
        "that is the share of the places that do *not* fit.": 1 - right,
        "that is in percent; the share is between 0 and 1.": 100 * right,
    }
    found = [
        said
        for said, number in wrong.items()
        if math.isclose(value, number, rel_tol=1e-5, abs_tol=1e-12)
    ]
    if len(found) == 1:
        return found[0]
    return f"not {value:.4g}. See hint 1."


CHECKS: dict[str, Check] = {
    "7.1": _causal_mask,
    "7.2": _head,
    "7.3": _leaks,
    "7.4": _sinusoids,
    "7.5": _by_distance,
    "7.6": _smoother,
    "7.7": _grouped,
    "7.8": _context,
}

check = partial(judge, CHECKS)
