"""Right and wrong answers to the exercises of Part 4."""

import torch
import torch.nn.functional as F

from charlm.exercises.part4 import ORDER, forward_atoms


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


def with_loss(P, x, y):
    """The loss too, of the net in which the wrong gradient was planted."""
    t = forward_atoms(2)
    loss = -t["log_probs"][torch.arange(len(y)), y].mean()
    return loss, gradients(P, x, y)


RIGHT = {
    "4.1": [atoms_backward],
    "4.2": [dlogits],
    "4.3": [batch_norm],
    "4.4": [gradients],
    "4.5": [layer_norm],
    "4.6": [gradients, with_loss],
}

WRONG = {
    "4.1": [
        (changed(atoms_backward, "counts", lambda d: d / 2), "gradient of counts"),
        (changed(atoms_backward, "top", lambda d: d.squeeze(1)), "(8, 1), not (8,)"),
        (without(atoms_backward, "xhat"), "no gradient called 'xhat'"),
        (lambda t: t["nothing"], "KeyError"),
    ],
    "4.2": [
        (lambda z, y: dlogits(z, y) * len(y), "mean"),
        (lambda z, y: -dlogits(z, y), "sign"),
        (lambda z, y: z.softmax(1) / len(y), "probabilities alone"),
        (lambda z, y: dlogits(z, y).T, "shape"),
        (overwriting, "overwrites"),
        (
            lambda z, y: (
                (z.exp() / z.exp().sum(1, keepdim=True) - F.one_hot(y, 27)) / 8
            ),
            "overflows",
        ),
    ],
    "4.3": [
        (lambda *a: batch_norm(*a, var=False), "through the variance"),
        (lambda *a: batch_norm(*a, mean=False), "through the mean"),
        (lambda *a: batch_norm(*a, mean=False, var=False), "Both statistics"),
        (lambda *a: batch_norm(*a, c=0), "B - 1"),
        (lambda dy, xhat, s, gamma: batch_norm(dy, xhat, s, 1), "gamma is missing"),
    ],
    "4.4": [
        (changed(gradients, "C", lambda d: d * 0), "gradient of C"),
        (changed(gradients, "b1", lambda d: d + 1), "gradient of b1"),
        (changed(gradients, "gamma", lambda d: d[None]), "shape (6,), not (1, 6)"),
        (without(gradients, "W1"), "no gradient called 'W1'"),
    ],
    "4.5": [
        (lambda dy, xhat, s, gamma: gamma * layer_norm(dy, xhat, s, 1), "inside"),
        (lambda *a: layer_norm(*a, dim=0), "over channels"),
        (lambda dy, xhat, s, gamma: layer_norm(dy, xhat, s, 1), "gamma is missing"),
    ],
    "4.6": [
        (changed(gradients, "gamma", lambda d: 1.01 * d), "gradient of gamma"),
        (changed(gradients, "W2", lambda d: d.T), "shape"),
        (lambda P, x, y: (0.0, gradients(P, x, y)), "loss has changed"),
    ],
}
