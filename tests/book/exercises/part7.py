"""Right and wrong answers to the exercises of Part 7."""

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

# 7.1


def causal_weights(scores):
    """The solution of the page."""
    T = scores.shape[-1]
    allowed = torch.ones(T, T).tril() == 1
    return scores.masked_fill(~allowed, -torch.inf).softmax(dim=-1)


def by_adding(scores):
    mask = torch.full((scores.shape[1],) * 2, -torch.inf).triu(diagonal=1)
    return F.softmax(scores + mask, -1)


def row_by_row(scores):
    out = torch.zeros(scores.shape)
    for t in range(scores.shape[1]):
        out[:, t, : t + 1] = scores[:, t, : t + 1].softmax(1)
    return out


def of_the_largest(scores):
    """By hand, with the largest allowed score of each row subtracted."""
    later = torch.triu(torch.ones_like(scores), 1).bool()
    scores = scores.clone()
    scores[later] = -1e30
    counts = (scores - scores.amax(-1, keepdim=True)).exp()
    return counts / counts.sum(-1, keepdim=True)


def renormalized(scores):
    """Softmax over everything first: what is left may be 0 / 0."""
    weights = scores.softmax(-1).tril()
    return weights / weights.sum(-1, keepdim=True)


def by_exp(scores):
    counts = scores.exp().tril()
    return counts / counts.sum(-1, keepdim=True)


def filled(value, diagonal=1):
    def weights(scores):
        T = scores.shape[-1]
        later = torch.ones(T, T).triu(diagonal) == 1
        return scores.masked_fill(later, value).softmax(-1)

    return weights


def of_five(scores):
    scores = scores.clone()
    scores[:, torch.ones(5, 5).triu(1) == 1] = -torch.inf
    return scores.softmax(-1)


# 7.2


def one_head(x, Wq, Wk, Wv):
    """The solution of the page."""
    q, k, v = x @ Wq, x @ Wk, x @ Wv
    scores = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5
    return causal_weights(scores) @ v


def fused(x, Wq, Wk, Wv):
    return F.scaled_dot_product_attention(x @ Wq, x @ Wk, x @ Wv, is_causal=True)


def place_by_place(x, Wq, Wk, Wv):
    B, T, _ = x.shape
    out = torch.zeros(B, T, Wv.shape[1])
    for b in range(B):
        for t in range(T):
            past = x[b, : t + 1]
            scores = past @ Wk @ (x[b, t] @ Wq) / math.sqrt(Wq.shape[1])
            out[b, t] = scores.softmax(0) @ (past @ Wv)
    return out


def head_with(weights=causal_weights, scale=lambda x, W: W.shape[1] ** -0.5):
    def wrong(x, Wq, Wk, Wv):
        scores = (x @ Wq) @ (x @ Wk).mT * scale(x, Wq)
        return weights(scores) @ (x @ Wv)

    return wrong


# 7.3


def leaks(model, V, T):
    """The solution of the page."""
    g = torch.Generator().manual_seed(0)
    for t in range(1, T):
        ids = torch.randint(V, (200, T), generator=g)
        other = ids.clone()
        other[:, t:] = torch.randint(V, (200, T - t), generator=g)
        before, after = model(ids)[:, :t], model(other)[:, :t]
        if not torch.allclose(before, after, atol=1e-5):
            return True
    return False


def by_prefixes(model, V, T):
    """A place may not care whether anything follows it."""
    ids = torch.randint(V, (64, T), generator=torch.Generator().manual_seed(1))
    whole = model(ids)
    return np.any([(model(ids[:, :t]) != whole[:, :t]).any() for t in range(1, T)])


def by_each_id(model, V, T):
    """Tries each id at each place of one row."""
    base = torch.randint(V, (1, T), generator=torch.Generator().manual_seed(2))
    right = model(base)
    for t in range(1, T):
        for i in range(V):
            ids = base.clone()
            ids[0, t] = i
            if (model(ids)[:, :t] - right[:, :t]).abs().max() > 1e-6:
                return torch.tensor(True)
    return torch.tensor(False)


def only_the_last(model, V, T):
    ids = torch.randint(V, (64, T), generator=torch.Generator().manual_seed(3))
    other = ids.clone()
    other[:, -1] = (ids[:, -1] + 1) % V
    return not model(ids)[:, :-1].equal(model(other)[:, :-1])


def only_the_neighbor(model, V, T):
    """Looks only at the place before the one that it changes."""
    g = torch.Generator().manual_seed(3)
    for t in range(1, T):
        ids = torch.randint(V, (64, T), generator=g)
        other = ids.clone()
        other[:, t] = torch.randint(V, (64,), generator=g)
        if not model(ids)[:, t - 1].equal(model(other)[:, t - 1]):
            return True
    return False


def comparing(same):
    """Changes all later ids, and compares the logits in some way."""

    def wrong(model, V, T):
        g = torch.Generator().manual_seed(4)
        for t in range(1, T):
            ids = torch.randint(V, (64, T), generator=g)
            changed = ids.clone()
            changed[:, t:] = torch.randint(V, (64, T - t), generator=g)
            if not same(model(ids)[:, :t], model(changed)[:, :t]):
                return True
        return False

    return wrong


def leaks_among(ids_from, ids_to, first=1):
    """The solution of the page with these ids only, from a first place on."""

    def wrong(model, V, T):
        g = torch.Generator().manual_seed(4)
        for t in range(first, T):
            ids = torch.randint(ids_from, V + ids_to, (64, T), generator=g)
            other = ids.clone()
            other[:, t:] = torch.randint(ids_from, V + ids_to, (64, T - t), generator=g)
            if not model(ids)[:, :t].equal(model(other)[:, :t]):
                return True
        return False

    return wrong


def with_itself(model, V, T):
    """Changes an id, and looks at its own place as well."""
    g = torch.Generator().manual_seed(4)
    ids = torch.randint(V, (64, T), generator=g)
    for t in range(1, T):
        other = ids.clone()
        other[:, t] = torch.randint(V, (64,), generator=g)
        if not model(ids)[:, : t + 1].equal(model(other)[:, : t + 1]):
            return True
    return False


def looking_everywhere(model, V, T):
    ids = torch.randint(V, (64, T), generator=torch.Generator().manual_seed(4))
    return not model(ids).equal(model(ids.flip(1)))


# 7.4


def positions(T, C):
    """The solution of the page."""
    place = torch.arange(T)[:, None]
    i = torch.arange(C // 2)
    angle = place / 10000 ** (2 * i / C)
    return torch.stack([angle.sin(), angle.cos()], dim=2).view(T, C)


def filled_in(T, C):
    out = torch.zeros(T, C, dtype=torch.float64)
    for t in range(T):
        for c in range(0, C, 2):
            out[t, c] = math.sin(t / 10000 ** (c / C))
            out[t, c + 1] = math.cos(t / 10000 ** (c / C))
    return out


def by_logarithms(T, C):
    rate = torch.exp(torch.arange(0, C, 2) * (-math.log(10000.0) / C))
    out = torch.empty(T, C)
    out[:, 0::2] = torch.sin(torch.arange(T).unsqueeze(1) * rate)
    out[:, 1::2] = torch.cos(torch.arange(T).unsqueeze(1) * rate)
    return out


def waves(angle, place=torch.arange):
    def wrong(T, C):
        a = angle(place(T)[:, None].double(), torch.arange(C // 2).double(), C)
        return torch.stack([a.sin(), a.cos()], dim=2).flatten(1)

    return wrong


def per_channel(T, C):
    out = torch.zeros(T, C)
    for c in range(C):
        angle = torch.arange(T) / 10000 ** (c / C)
        out[:, c] = angle.cos() if c % 2 else angle.sin()
    return out


# 7.5


def weights_by_distance(scores, b):
    """The solution of the page."""
    T, D = scores.shape[-1], len(b)
    t = torch.arange(T)
    distance = t[:, None] - t[None, :]
    return causal_weights(scores + b[distance.clamp(0, D - 1)])


def diagonal_by_diagonal(scores, b):
    out = scores.clone()
    T = scores.shape[1]
    for t in range(T):
        for s in range(T):
            later = s > t
            out[:, t, s] += -torch.inf if later else b[min(t - s, len(b) - 1)]
    return torch.softmax(out, dim=2)


def by_gathering(scores, b):
    """Fills up the biases until there is one for each distance."""
    T = scores.shape[1]
    b = torch.cat([b, b[-1:].expand(T)])
    at = (torch.arange(T)[:, None] - torch.arange(T)).abs()
    return causal_weights(scores + b[at])


def biased(at):
    def wrong(scores, b):
        t = torch.arange(scores.shape[-1])
        return causal_weights(scores + b[at(t[:, None], t, len(b))])

    return wrong


def distances(scores, b):
    t = torch.arange(scores.shape[-1])
    return (t[:, None] - t).clamp(min=0)


def none_beyond(scores, b):
    d = distances(scores, b)
    return causal_weights(scores + b[d.clamp(max=len(b) - 1)] * (d < len(b)))


def unread_beyond(scores, b):
    d = distances(scores, b)
    scores = scores + b[d.clamp(max=len(b) - 1)]
    return causal_weights(scores.masked_fill(d >= len(b), -torch.inf))


def bias_of(scores, b):
    return b[distances(scores, b).clamp(max=len(b) - 1)]


# 7.6


def smooth(x, y, at, width):
    """The solution of the page."""
    scores = -((at[:, None] - x) ** 2) / (2 * width**2)
    return scores.softmax(dim=1) @ y


def as_attention(x, y, at, width):
    """With queries and keys: at² is the same for all points, and cancels."""
    q, k = at[:, None] / width, x[:, None] / width
    return (q @ k.T - k.T**2 / 2).softmax(1) @ y


def one_by_one(x, y, at, width):
    out = []
    for a in at:
        d = (a - x) ** 2 / 2 / width**2
        w = (d.min() - d).exp()
        out.append((w * y).sum() / w.sum())
    return torch.stack(out)


def kernel(x, at, width, d=lambda d: d**2):
    return (-d(at[:, None] - x) / (2 * width**2)).exp()


def plain(x, y, at, width):
    """What the formula says, which far away is 0 / 0."""
    K = kernel(x, at, width)
    return K @ y / K.sum(1)


def rescued(x, y, at, width):
    """Avoids 0 / 0, but says 0 far away."""
    K = kernel(x, at, width)
    return K @ y / (K.sum(1) + 1e-12)


def smooth_with(scores):
    return lambda x, y, at, w: scores(at[:, None] - x, w).softmax(1) @ y


# 7.7


def grouped(q, k, v):
    """The solution of the page."""
    each = q.shape[1] // k.shape[1]
    cached = k.numel() + v.numel()
    k, v = (t.repeat_interleave(each, dim=1) for t in (k, v))
    return F.scaled_dot_product_attention(q, k, v, is_causal=True), cached


def by_views(q, k, v):
    """No copies: the heads of a group are a dimension of their own."""
    B, H, T, D = q.shape
    G = k.shape[1]
    q = q.view(B, G, H // G, T, D)
    scores = q @ k[:, :, None].transpose(-1, -2) / D**0.5
    scores = scores.masked_fill(torch.ones(T, T).tril() == 0, float("-inf"))
    read = scores.softmax(-1) @ v[:, :, None]
    return [read.view(B, H, T, D), 2.0 * B * G * T * D]


def head_by_head(q, k, v):
    H, D = q.shape[1], q.shape[3]
    out = torch.zeros(q.shape)
    for h in range(H):
        g = h * k.shape[1] // H
        out[:, h] = causal_weights(q[:, h] @ k[:, g].mT / D**0.5) @ v[:, g]
    return out, torch.tensor(2 * k.numel())


def read_by(keys, values, **how):
    def wrong(q, k, v):
        n = q.shape[1] // k.shape[1]
        settings: dict[str, Any] = {"is_causal": True} | how
        both = keys(k, n), values(v, n)
        read = F.scaled_dot_product_attention(q, *both, **settings)
        return read, 2 * k.numel()

    return wrong


def neighbors(t, n):
    return t.repeat_interleave(n, dim=1)


def turns(t, n):
    return t.repeat(1, n, 1, 1)


def first_group(t, n):
    return t[:, :1].expand(-1, n * t.shape[1], -1, -1)


def mean_group(t, n):
    return t.mean(1, keepdim=True).expand(-1, n * t.shape[1], -1, -1)


def count_as(count):
    return lambda q, k, v: (grouped(q, k, v)[0], count(q, k))


# 7.8


def share(words, n):
    """The solution of the page."""
    fits = sum(min(len(word) + 1, n) for word in words)
    return fits / sum(len(word) + 1 for word in words)


def place_by_place_share(words, n):
    fits = [t + 1 <= n for word in words for t in range(len(word) + 1)]
    return torch.tensor(fits).float().mean()


def share_by_numpy(words, n):
    places = np.concatenate([np.arange(1, len(word) + 2) for word in words])
    return (places <= n).mean()


RIGHT: dict[str, list[Any]] = {
    "7.1": [causal_weights, by_adding, row_by_row, of_the_largest, filled(-1e9)],
    "7.2": [one_head, fused, place_by_place, lambda *a: one_head(*a).double()],
    "7.3": [
        leaks,
        by_prefixes,
        lambda *a: int(leaks(*a)),
        comparing(torch.equal),
        comparing(torch.allclose),
    ],
    "7.4": [positions, filled_in, by_logarithms],
    "7.5": [weights_by_distance, diagonal_by_diagonal, by_gathering],
    "7.6": [smooth, as_attention, one_by_one],
    "7.7": [grouped, by_views, head_by_head, read_by(neighbors, neighbors)],
    "7.8": [share, place_by_place_share, share_by_numpy],
}

WRONG: dict[str, list[tuple[Any, str]]] = {
    "7.1": [
        (lambda s: s.softmax(-1), "Nothing is masked"),
        (lambda s: s.softmax(-1).tril(), "rows do not sum to 1. See hint 2"),
        (lambda s: s.tril().softmax(-1), "A score of 0 is a score like any other"),
        (filled(0.0), "A score of 0 is a score like any other"),
        (
            lambda s: s.tril().masked_fill(s.tril() == 0, -torch.inf).softmax(-1),
            "But for scores of 0 the result has nan",
        ),
        (lambda s: causal_weights(s.flip(1, 2)).flip(1, 2), "wrong way round"),
        (
            lambda s: s.masked_fill(torch.ones_like(s).tril() == 1, -torch.inf).softmax(
                -1
            ),
            "reads only later ones. See hint 1",
        ),
        (filled(-torch.inf, diagonal=0), "The place itself is masked as well"),
        (filled(-1e9, diagonal=0), "numbers are not right. See hint 2"),
        (
            lambda s: s.masked_fill(causal_weights(s) == 0, -torch.inf).softmax(-2),
            "The columns sum to 1",
        ),
        (
            lambda s: s.masked_fill(causal_weights(s) == 0, -torch.inf),
            "make weights of them",
        ),
        (
            renormalized,
            "the hundreds the result has nan or infinite numbers. See hint 3",
        ),
        (by_exp, "But for scores in the hundreds the result has nan"),
        (filled(-1000.0), "But for scores in the hundreds"),
        (filled(-100.0), "But for scores in the hundreds the result has the right sh"),
        (of_five, "Right for B = 2, T = 5. But for B = 3, T = 7: It raises IndexErr"),
        (lambda s: causal_weights(s)[0], "shape (2, 5, 5), not (5, 5)"),
        (
            lambda s: s.masked_fill_(causal_weights(s) == 0, -torch.inf).softmax(-1),
            "overwrites",
        ),
        (lambda s: causal_weights(s).bool(), "of floats"),
    ],
    "7.2": [
        (head_with(scale=lambda x, W: 1), "not divided by anything"),
        (head_with(scale=lambda x, W: 1 / W.shape[1]), "Here D = 4: its root"),
        (head_with(scale=lambda x, W: W.shape[0] ** -0.5), "root of C"),
        (head_with(scale=lambda x, W: x.shape[1] ** -0.5), "root of T"),
        (head_with(scale=lambda x, W: W.shape[1] ** 0.5), "multiplied by the root"),
        (head_with(lambda s: s.softmax(-1)), "where is the mask"),
        (head_with(lambda s: s.softmax(-1).tril()), "mask is applied after"),
        (head_with(lambda s: s.tril().softmax(-1)), "A score of 0"),
        (
            head_with(
                lambda s: s.masked_fill(causal_weights(s) == 0, -torch.inf).softmax(-2)
            ),
            "softmax runs over the queries",
        ),
        (lambda x, Q, K, V: one_head(x, K, Q, V), "Queries and keys are swapped"),
        (lambda x, Q, K, V: one_head(x, Q, K, K), "The values are the keys"),
        (
            lambda x, Q, K, V: one_head(x, Q, K, torch.eye(x.shape[2])),
            "The values are x itself",
        ),
        (lambda *a: one_head(*a)[:, -1], "shape (3, 6, 4), not (3, 4)"),
        (lambda *a: one_head(*a).transpose(0, 1), "not (6, 3, 4). See hint 3"),
        (lambda *a: one_head(*a) * 2, "numbers are not right"),
        (head_with(scale=lambda x, W: 0.5), "Right for B = 3, T = 6, C = 5, D = 4."),
        (lambda x, Q, K, V: x[..., 0] @ Q, "raises RuntimeError"),
    ],
    "7.3": [
        (lambda *a: not leaks(*a), "the other way round"),
        (lambda *a: True, "finds a leak where there is none: in this model each place"),
        (lambda *a: False, "misses a leak: in this model each place sees the next"),
        (by_each_id, "only places with the id 2 see the next one. See hint 2"),
        (
            comparing(lambda a, b: a.sum(-1).allclose(b.sum(-1))),
            "the next place changes the logits, but not their sum. See hint 2",
        ),
        (only_the_last, "only the first place sees the second. See hint 1"),
        (only_the_neighbor, "the first place sees the last one. See hint 1"),
        (
            comparing(lambda a, b: a[..., 0].equal(b[..., 0])),
            "only one of the logits sees the next place. See hint 2",
        ),
        (
            comparing(lambda a, b: a.softmax(-1).allclose(b.softmax(-1))),
            "adds the same to all logits. See hint 2",
        ),
        (
            comparing(lambda a, b: a.argmax(-1).equal(b.argmax(-1))),
            "It misses a leak: in this model",
        ),
        (
            comparing(lambda a, b: a.allclose(b, atol=0.1)),
            "by less than a hundredth. See hint 2",
        ),
        (leaks_among(1, 0), "sees whether the next one has the id 0. See hint 2"),
        (leaks_among(0, -1), "sees whether the next one has the last id. See hint 2"),
        (leaks_among(0, 0, first=2), "only the first place sees the second"),
        (with_itself, "in this model each place sees itself alone. See hint 3"),
        (looking_everywhere, "each place sees itself alone. See hint 3"),
        (lambda *a: 0.5, "Expected True or False, got float"),
        (lambda *a: "no", "Expected True or False, got str"),
        (lambda model, V, T: model(torch.zeros(1, T)), "raises IndexError"),
    ],
    "7.4": [
        (lambda T, C: positions(T, C)[:, [*range(0, C, 2), *range(1, C, 2)]], "halves"),
        (
            lambda T, C: positions(T, C).view(T, C // 2, 2).flip(2).view(T, C),
            "Sines and cosines are swapped",
        ),
        (per_channel, "one frequency; here each has its own"),
        (waves(lambda t, i, C: t / 10000 ** (i / C)), "without the 2"),
        (waves(lambda t, i, C: t / 10000 ** (4 * i / C)), "twice too large"),
        (waves(lambda t, i, C: t * 10000 ** (2 * i / C)), "divide by it"),
        (
            waves(lambda t, i, C: (t + 1) / 10000 ** (2 * i / C)),
            "number 0, not 1",
        ),
        (lambda T, C: positions(T, C).T, "Places and channels are swapped"),
        (waves(lambda t, i, C: t / 1000 ** (2 * i / C)), "numbers are not right"),
        (waves(lambda t, i, C: t / 10000 ** (2 * i / 8)), "Right for T = 7, C = 8."),
        (lambda T, C: positions(T, C).numpy(), "got ndarray"),
        (lambda T, C: positions(T, C)[None], "shape (7, 8), not (1, 7, 8)"),
    ],
    "7.5": [
        (lambda s, b: causal_weights(s), "changes nothing: it is missing, or the same"),
        (
            biased(lambda t, s, D: (s - t).clamp(0, D - 1)),
            "the same for all that a place",
        ),
        (biased(lambda t, s, D: (t + 0 * s).clamp(max=D - 1)), "changes nothing"),
        (biased(lambda t, s, D: D - 1 - (t - s).clamp(0, D - 1)), "wrong order"),
        (biased(lambda t, s, D: (t - s) % D), "start again at the first"),
        (none_beyond, "beyond the last bias get none"),
        (unread_beyond, "get no weight"),
        (
            biased(lambda t, s, D: (s + 0 * t).clamp(max=D - 1)),
            "belongs to the key's place",
        ),
        (lambda s, b: causal_weights(s) + bias_of(s, b), "added to the weights"),
        (lambda s, b: causal_weights(s * bias_of(s, b)), "multiplied by the bias"),
        (lambda s, b: (s + bias_of(s, b)).softmax(-1), "weights: mask them. See"),
        (
            lambda s, b: (
                s + b[(distances(s, b) + distances(s, b).T).clamp(max=len(b) - 1)]
            ).softmax(-1),
            "weights: mask them, too",
        ),
        (biased(lambda t, s, D: t - s), "IndexError"),
        (biased(lambda t, s, D: (t - s).clamp(0, 3)), "Right for B = 2, T = 6, D = 4."),
        (
            lambda s, b: causal_weights(s + bias_of(s, b)).mean(0),
            "shape (2, 6, 6), not (6, 6)",
        ),
    ],
    "7.6": [
        (lambda x, y, at, w: kernel(x, at, w) @ y, "do not sum to 1"),
        (smooth_with(lambda d, w: -(d**2) / w**2), "The 2 below the square is missing"),
        (smooth_with(lambda d, w: -(d**2) / (2 * w)), "The width should be squared."),
        (smooth_with(lambda d, w: -(d**2) / w), "squared, and the 2 below"),
        (smooth_with(lambda d, w: -((d / (2 * w)) ** 2)), "should not be squared it"),
        (smooth_with(lambda d, w: -((d * w) ** 2) / 2), "width multiplies"),
        (smooth_with(lambda d, w: -(d**2) / 2), "width is not used"),
        (smooth_with(lambda d, w: -d.abs() / (2 * w**2)), "distance should be squared"),
        (smooth_with(lambda d, w: d**2 / (2 * w**2)), "sign of the scores"),
        (
            lambda x, y, at, w: kernel(x, at, w) / kernel(x, at, w).sum(0) @ y,
            "sum to 1 for each point",
        ),
        (
            plain,
            "far from all points the result has nan or infinite numbers. See hint 3",
        ),
        (rescued, "Right for N = 8, M = 5, width = 0.7. But for questions far"),
        (lambda *a: smooth(*a)[:, None], "shape (5,), not (5, 1)"),
        (smooth_with(lambda d, w: -d.abs()), "numbers are not right. See hint 1"),
        (lambda x, y, at, w: smooth(x, y, x, w), "shape (5,), not (8,)"),
    ],
    "7.7": [
        (read_by(turns, turns), "heads take turns"),
        (read_by(neighbors, turns), "but the values take turns"),
        (read_by(turns, neighbors), "but the keys take turns"),
        (read_by(first_group, first_group), "read the first group"),
        (read_by(mean_group, mean_group), "mean of the groups"),
        (read_by(neighbors, neighbors, is_causal=False), "where is the mask"),
        (read_by(neighbors, neighbors, scale=1.0), "divided by the root of D"),
        (read_by(neighbors, neighbors, scale=0.5), "But for H = 4, G = 2, T = 3 what"),
        (count_as(lambda q, k: 2 * q.numel()), "one key and value for each query head"),
        (count_as(lambda q, k: k.numel()), "keys *and* values"),
        (count_as(lambda q, k: 2 * k[:, 0].numel()), "that of one group"),
        (count_as(lambda q, k: 2 * k[0].numel()), "holds for a single name"),
        (count_as(lambda q, k: 2 * k[:, :, 0].numel()), "holds for a single place"),
        (count_as(lambda q, k: 2 * k.numel() + q.numel()), "queries are used once"),
        (count_as(lambda q, k: 7), "but the count is not. See hint 3"),
        (count_as(lambda q, k: k.shape), "Expected one number"),
        (lambda *a: grouped(*a)[0], "return two things"),
        (lambda q, k, v: (grouped(q, k, v)[0][:, :2], 1), "shape (5, 15, 7, 4), not"),
        (lambda q, k, v: (grouped(q, k, v)[0] + 1, 1), "not the right numbers"),
        (lambda q, k, v: (q @ k.mT, 1), "raises RuntimeError"),
    ],
    "7.8": [
        (lambda words, n: share([*set(words)], n), "not 0.3529"),
        (
            lambda words, n: (
                sum(min(len(w), n) + 1 for w in words) / sum(len(w) + 1 for w in words)
            ),
            "boundary needs one of the n places",
        ),
        (
            lambda words, n: (
                sum(min(len(w), n) for w in words) / sum(len(w) for w in words)
            ),
            "predicts the end of a word is missing",
        ),
        (
            lambda words, n: sum(len(w) < n for w in words) / len(words),
            "share of the words, not of the places",
        ),
        (
            lambda words, n: sum(len(w) <= n for w in words) / len(words),
            "that is the share of the words that have at most n letters",
        ),
        (
            lambda words, n: sum(share([w], n) for w in words) / len(words),
            "mean of the words' shares",
        ),
        (
            lambda words, n: sum(min(len(w) + 1, n) for w in words),
            "number of places, not their share",
        ),
        (lambda words, n: 1 - share(words, n), "do *not* fit"),
        (lambda words, n: 100 * share(words, n), "in percent"),
        (lambda words, n: 0.5, "n = 3: not 0.5. See hint 1"),
        (lambda words, n: [share(words, n)], "Expected one number, got list"),
        (lambda words, n: share([words.pop()], n), "overwrites"),
    ],
}
