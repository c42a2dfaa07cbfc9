"""Right and wrong answers to the exercises of Part 4."""

import torch
import torch.nn.functional as F

from charlm.book.exercises.atoms import ORDER, forward_atoms, gradient


def atoms_backward(t):
    """Return the gradients of all atoms, by autograd on the same forward pass."""
    for seed in range(3):
        known = forward_atoms(seed)
        if known["logits"].shape == t["logits"].shape and known["C"].equal(t["C"]):
            return {name: known[name].grad for name in ORDER}
    raise LookupError


def dlogits(z, y):
    return (z.softmax(1) - F.one_hot(y, z.shape[1])) / len(y)


def batch_norm(dy, xhat, inv_std, gamma, *, mean=True, var=True, c=1):
    B = len(dy)
    d = dy - mean * dy.sum(0) / B - var * xhat * (dy * xhat).sum(0) / (B - c)
    return gamma * inv_std * d


def layer_norm(dy, xhat, inv_std, gamma, *, dim=1):
    d = gamma * dy
    means = d.mean(dim, keepdim=True), (d * xhat).mean(dim, keepdim=True)
    return inv_std * (d - means[0] - xhat * means[1])


def without_mean(d):
    return d - d.mean(1, keepdim=True)


def without_slope(d, xhat, n):
    """What is left of d without its part along xhat, a sum over n."""
    return d - xhat * (d * xhat).sum(1, keepdim=True) / n


def batch_norm_of_rows(dy, xhat, inv_std, gamma):
    slope = (dy * xhat).sum(0) / (len(dy) - 1)
    return gamma * inv_std * (dy - dy.mean(0) - xhat * slope)


def gradients(P, x, y):
    """Return the gradients of all parameters in P, by autograd."""
    with torch.enable_grad():
        P = {k: p.clone().requires_grad_() for k, p in P.items()}
        hpre = P["C"][x].flatten(1) @ P["W1"]
        if "b1" in P:
            hpre = hpre + P["b1"]
        xhat = (hpre - hpre.mean(0)) * (hpre.var(0) + 1e-5) ** -0.5
        h = (P["gamma"] * xhat + P["beta"]).tanh()
        F.cross_entropy(h @ P["W2"] + P["b2"], y).backward()
    return {k: p.grad for k, p in P.items()}


def changed(function, name, change):
    """Return the function with one of the gradients that it returns changed."""

    def wrong(*arguments):
        d = function(*arguments)
        return d | {name: change(d[name])}

    return wrong


def without(function, name):
    return lambda *a: {k: v for k, v in function(*a).items() if k != name}


def overwriting(z, y):
    z[torch.arange(len(y)), y] -= 1
    return z


def whole(function, change=lambda name, d: d):
    """Return the function with each of the gradients that it returns changed."""
    return lambda *a: {name: change(name, d) for name, d in function(*a).items()}


def in_float32(function):
    def single(*arguments):
        result = function(*arguments)
        if isinstance(result, dict):
            return {name: d.float() for name, d in result.items()}
        return result.float()

    return single


def atoms_but(name, wrong):
    """Return the gradients of all atoms, that of one replaced by `wrong(t, d)`."""

    def atoms(t):
        d = atoms_backward(t)
        return d | {name: wrong(t, d)}

    return atoms


def rows_overwritten(t, d):
    dC = torch.zeros_like(t["C"])
    for row, demb in zip(t["x"].flatten(), d["emb"].flatten(0, 1), strict=True):
        dC[row] = demb
    return dC


def gradients_by(norm):
    """Return a function whose gradient of W1 went through another batch norm."""
    t = forward_atoms()
    dhpre = norm(gradient(t, "hpreact"), t["xhat"], t["inv_std"], t["gamma"])
    return changed(gradients, "W1", lambda d: (t["flat"].T @ dhpre).detach())


def without_gamma(dy, xhat, inv_std, gamma):
    return batch_norm(dy, xhat, inv_std, 1)


def broken(t):
    t["x"] = None
    return atoms_backward(forward_atoms())


RIGHT = {
    "4.1": [
        atoms_backward,
        in_float32(atoms_backward),
        lambda t: atoms_backward(t) | {"x": None},
    ],
    "4.2": [
        dlogits,
        in_float32(dlogits),
        lambda z, y: dlogits(z - z.max(1, keepdim=True).values, y),
    ],
    "4.3": [batch_norm, in_float32(batch_norm)],
    "4.4": [gradients, in_float32(gradients)],
    "4.5": [layer_norm, in_float32(layer_norm)],
    "4.6": [gradients, in_float32(gradients)],
}

WRONG = {
    "4.1": [
        (changed(atoms_backward, "counts", lambda d: d / 2), "numbers differ"),
        (changed(atoms_backward, "h", lambda d: d * 8), "h is B times too large"),
        (changed(atoms_backward, "h", lambda d: -d), "h has the wrong sign. See hint"),
        (changed(atoms_backward, "top", lambda d: d.squeeze(1)), "(8, 1), not (8,)"),
        (changed(atoms_backward, "b2", lambda d: d.expand(8, 27)), "not (8, 27). See"),
        (
            atoms_but("counts", lambda t, d: d["probs"] * t["inv_total"]),
            "way through total is missing. See hint 2",
        ),
        (
            atoms_but("counts", lambda t, d: d["total"].expand(8, 27)),
            "way through probs is missing",
        ),
        (
            atoms_but("centered", lambda t, d: d["xhat"] * t["inv_std"]),
            "way through squared is missing",
        ),
        (
            atoms_but("centered", lambda t, d: d["squared"] * 2 * t["centered"]),
            "way through xhat is missing",
        ),
        (atoms_but("hpre", lambda t, d: d["centered"]), "through mean is missing"),
        (atoms_but("hpre", lambda t, d: d["centered"] + d["mean"]), "divided by B"),
        (atoms_but("squared", lambda t, d: d["squared"] * 7 / 8), "divided by B - 1"),
        (atoms_but("C", rows_overwritten), "looked up twice gets both"),
        (without(atoms_backward, "xhat"), "no gradient called 'xhat'"),
        (changed(atoms_backward, "h", lambda d: d.numpy()), "not ndarray"),
        (changed(atoms_backward, "h", lambda d: d.long()), "of floats"),
        (lambda t: list(atoms_backward(t).values()), "a dictionary from names"),
        (broken, "overwrites"),
        (lambda t: t["nothing"], "KeyError"),
        (lambda t: {name: t[name].grad for name in ORDER}, "not NoneType"),
    ],
    "4.2": [
        (lambda z, y: dlogits(z, y) * len(y), "batch size. See hint 2"),
        (lambda z, y: -dlogits(z, y), "sign"),
        (lambda z, y: z.softmax(1) / len(y), "probabilities alone"),
        (lambda z, y: dlogits(z, y) * len(y) / 27, "not by the vocabulary's"),
        (lambda z, y: (z - F.one_hot(y, 27)) / len(y), "no probabilities yet"),
        (lambda z, y: dlogits(z, y).T, "shape"),
        (lambda z, y: dlogits(z, y).sum(0), "(8, 27), not (27,)"),
        (lambda z, y: dlogits(z, y).tolist(), "not list"),
        (lambda z, y: dlogits(z, y).long(), "of floats"),
        (overwriting, "overwrites"),
        (
            lambda z, y: (
                (z.exp() / z.exp().sum(1, keepdim=True) - F.one_hot(y, 27)) / 8
            ),
            "overflows. See hint 2",
        ),
        (lambda z, y: dlogits(z.clamp(-20, 20), y), "in the hundreds"),
    ],
    "4.3": [
        (lambda *a: batch_norm(*a, var=False), "through the variance"),
        (lambda *a: batch_norm(*a, mean=False), "through the mean"),
        (lambda *a: batch_norm(*a, mean=False, var=False), "Both statistics"),
        (lambda *a: batch_norm(*a, c=0), "B - 1"),
        (without_gamma, "gamma is missing"),
        (lambda dy, xhat, s, gamma: batch_norm(dy, xhat, 1, gamma), "inv_std is"),
        (lambda *a: batch_norm(*a).sum(0), "(8, 6), not (6,)"),
        (lambda *a: batch_norm(*a).numpy(), "not ndarray"),
    ],
    "4.4": [
        (changed(gradients, "C", lambda d: d * 0), "gradient of C"),
        (changed(gradients, "b1", lambda d: d + 1), "gradient of b1"),
        (changed(gradients, "gamma", lambda d: d[None]), "shape (6,), not (1, 6)"),
        (whole(gradients, lambda name, d: 8 * d), "W2 is B times too large"),
        (whole(gradients, lambda name, d: -d), "W2 has the wrong sign. See hint 2"),
        (gradients_by(lambda *a: batch_norm(*a, var=False)), "through the variance"),
        (gradients_by(lambda *a: batch_norm(*a, c=0)), "divided by B; here"),
        (gradients_by(without_gamma), "W1 is not right. gamma is missing"),
        (without(gradients, "W1"), "no gradient called 'W1'"),
        (lambda P, x, y: (0.0, gradients(P, x, y)), "got tuple"),
    ],
    "4.5": [
        (lambda dy, xhat, s, gamma: gamma * layer_norm(dy, xhat, s, 1), "inside"),
        (lambda *a: layer_norm(*a, dim=0), "over channels"),
        (lambda dy, xhat, s, gamma: layer_norm(dy, xhat, s, 1), "gamma is missing"),
        (lambda dy, xhat, s, gamma: layer_norm(dy, xhat, 1, gamma), "inv_std is"),
        (lambda dy, xhat, s, gamma: s * gamma * dy, "the mean and the variance"),
        (
            lambda dy, xhat, s, gamma: (
                s * gamma * dy
                - s * (gamma * dy).sum(1, keepdim=True)
                - s * xhat * (gamma * dy * xhat).sum(1, keepdim=True)
            ),
            "not yet means",
        ),
        (
            lambda dy, xhat, s, gamma: s * without_mean(gamma * dy),
            "variance is missing",
        ),
        (
            lambda dy, xhat, s, gamma: s * without_slope(gamma * dy, xhat, 7),
            "way through the mean is missing",
        ),
        (
            lambda dy, xhat, s, gamma: (
                s * without_slope(gamma * dy, xhat, 6)
                - s * (gamma * dy).mean(1, keepdim=True)
            ),
            "divide by the number of channels",
        ),
        (batch_norm_of_rows, "batch normalization of exercise 4.3"),
        (lambda dy, xhat, s, gamma: s * (gamma * dy - dy.mean(1)), "RuntimeError"),
    ],
    "4.6": [
        (changed(gradients, "gamma", lambda d: 1.01 * d), "are random. See hint 1"),
        (changed(gradients, "W2", lambda d: d.T), "shape (6, 27), not (27, 6)"),
        (changed(gradients, "beta", lambda d: d * 2), "beta has the right shape"),
        (changed(gradients, "beta", lambda d: d * 2), "It was right before"),
        (without(gradients, "gamma"), "no gradient called 'gamma'"),
        (lambda P, x, y: gradients(P, x, y)["gamma"], "Expected a dictionary"),
    ],
}
