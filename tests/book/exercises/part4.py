"""Right and wrong answers to the exercises of Part 4."""

import torch
import torch.nn.functional as F

from charlm.book.exercises.atoms import ORDER, forward_atoms, gradient


def loss_backward(t):
    B, V = t["logits"].shape
    d = {"log_probs": -F.one_hot(t["y"], V).double() / B}
    d["probs"] = d["log_probs"] / t["probs"]
    d["inv_total"] = (d["probs"] * t["counts"]).sum(1, keepdim=True)
    d["total"] = -d["inv_total"] * t["inv_total"] ** 2
    d["counts"] = d["probs"] * t["inv_total"] + d["total"]
    d["shifted"] = d["counts"] * t["counts"]
    d["top"] = -d["shifted"].sum(1, keepdim=True)
    at_top = F.one_hot(t["logits"].argmax(1), V)
    return d | {"logits": d["shifted"] + at_top * d["top"]}


def norm_backward(t, dhpreact):
    B = len(dhpreact)
    d = {"gamma": (dhpreact * t["xhat"]).sum(0), "beta": dhpreact.sum(0)}
    d["xhat"] = dhpreact * t["gamma"]
    d["inv_std"] = (d["xhat"] * t["centered"]).sum(0)
    d["var"] = -d["inv_std"] * t["inv_std"] ** 3 / 2
    d["squared"] = (d["var"] / (B - 1)).expand_as(dhpreact)
    d["centered"] = d["xhat"] * t["inv_std"] + d["squared"] * 2 * t["centered"]
    d["mean"] = -d["centered"].sum(0)
    return d | {"hpre": d["centered"] + d["mean"] / B}


def lookup_backward(demb, x, V):
    dC = demb.new_zeros(V, demb.shape[-1])
    return dC.index_add(0, x.flatten(), demb.flatten(0, 1))


def linear(dy, x, W):
    return dy @ W.T, x.T @ dy, dy.sum(0)


def atoms_backward(t):
    d = loss_backward(t)
    d["h"], d["W2"], d["b2"] = linear(d["logits"], t["h"], t["W2"])
    d["hpreact"] = d["h"] * (1 - t["h"] ** 2)
    d |= norm_backward(t, d["hpreact"])
    d["flat"], d["W1"], d["b1"] = linear(d["hpre"], t["flat"], t["W1"])
    d["emb"] = d["flat"].view(t["emb"].shape)
    return d | {"C": lookup_backward(d["emb"], t["x"], len(t["C"]))}


def by_autograd(t):
    with torch.enable_grad():
        F.cross_entropy(t["logits"].requires_grad_(), t["y"]).backward()
    return atoms_backward(t) | {"logits": t["logits"].grad}


def walk_again(t, change):
    """The walk with one step written in another way, and all that follows from it."""
    d = atoms_backward(t)
    return d | change(t, d)


def without_top(t, d):
    return {"top": d["top"], "logits": d["shifted"]}


def autograd_of(grad):
    """Return a function that asks autograd for the gradient of the logits."""

    def asking(z, y):
        with torch.enable_grad():
            z = z.clone().requires_grad_()
            return grad(lambda z: F.cross_entropy(z, y), z)

    return asking


def through_graph(loss, z):
    loss(z).backward()
    return z.grad


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
    """Return the gradients of all parameters in P, in closed forms."""
    emb = P["C"][x]
    flat = emb.flatten(1)
    hpre = flat @ P["W1"] + P.get("b1", 0)
    inv_std = (hpre.var(0) + 1e-5) ** -0.5
    xhat = (hpre - hpre.mean(0)) * inv_std
    h = (P["gamma"] * xhat + P["beta"]).tanh()
    dz = dlogits(h @ P["W2"] + P["b2"], y)
    dh, dW2, db2 = linear(dz, h, P["W2"])
    dy = (1 - h**2) * dh
    dhpre = batch_norm(dy, xhat, inv_std, P["gamma"])
    dflat, dW1, db1 = linear(dhpre, flat, P["W1"])
    d = {"W2": dW2, "b2": db2, "gamma": (dy * xhat).sum(0), "beta": dy.sum(0)}
    d |= {"W1": dW1, "C": lookup_backward(dflat.view(emb.shape), x, len(P["C"]))}
    return d | ({"b1": db1} if "b1" in P else {})


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


def planted(P, x, y):
    """The mistake of exercise 4.6: hpreact in the place of xhat."""
    d = gradients(P, x, y)
    return d | {"gamma": P["gamma"] * d["gamma"] + P["beta"] * d["beta"]}


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


def gradients_by(norm, seed=0):
    """Return a function whose gradient of W1 went through another batch norm."""
    t = forward_atoms(seed)
    dhpre = norm(gradient(t, "hpreact"), t["xhat"], t["inv_std"], t["gamma"])
    return changed(gradients, "W1", lambda d: (t["flat"].T @ dhpre).detach())


def without_gamma(dy, xhat, inv_std, gamma):
    return batch_norm(dy, xhat, inv_std, 1)


def broken(t):
    t["x"] = None
    return atoms_backward(forward_atoms())


def by_atoms(logits, y):
    """Walks back through the probabilities, and divides by each."""
    top = logits.max(1, keepdim=True).values
    counts = (logits - top).exp()
    total = counts.sum(1, keepdim=True)
    t = {"y": y, "logits": logits, "counts": counts, "total": total}
    t |= {"inv_total": 1 / total, "probs": counts / total}
    return loss_backward(t)["logits"]


def of_the_largest(logits, y):
    """Subtracts the largest logit of all rows, not of each."""
    counts = (logits - logits.max()).exp()
    probs = counts / counts.sum(1, keepdim=True)
    return (probs - F.one_hot(y, logits.shape[1])) / len(y)


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
            "path through total is missing. See hint 2",
        ),
        (
            atoms_but("counts", lambda t, d: d["total"].expand(8, 27)),
            "path through probs is missing",
        ),
        (
            atoms_but("centered", lambda t, d: d["xhat"] * t["inv_std"]),
            "path through squared is missing",
        ),
        (
            atoms_but("centered", lambda t, d: d["squared"] * 2 * t["centered"]),
            "path through xhat is missing",
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
        # what is zero up to rounding, wrong in a way that no comparison sees
        (changed(atoms_backward, "top", torch.zeros_like), "sum to 1. See hint 2"),
        (changed(atoms_backward, "top", lambda d: -d), "top has the wrong sign"),
        (changed(atoms_backward, "top", lambda d: d / 27), "numbers differ"),
        (lambda t: walk_again(t, without_top), "path through top is missing"),
        (
            atoms_but("mean", lambda t, d: -(d["xhat"] * t["inv_std"]).sum(0)),
            "sum to zero: The gradient of mean is not right. The path through squared",
        ),
        (
            lambda t: walk_again(
                t, lambda t, d: {"top": -d["top"], "logits": d["shifted"]}
            ),
            "top has the wrong sign",
        ),
        (changed(atoms_backward, "b1", torch.zeros_like), "exactly 0"),
        (changed(atoms_backward, "b1", lambda d: -d), "b1 has the wrong sign"),
        (changed(atoms_backward, "b1", lambda d: d / 8), "not a mean"),
        (by_autograd, "asks autograd"),
    ],
    "4.2": [
        (lambda z, y: dlogits(z, y) * len(y), "batch size. See hint 2"),
        (lambda z, y: -dlogits(z, y), "sign"),
        (lambda z, y: z.softmax(1) / len(y), "probabilities alone"),
        (lambda z, y: dlogits(z, y) * len(y) / 27, "not by the vocabulary's"),
        (lambda z, y: (z - F.one_hot(y, 27)) / len(y), "make probabilities"),
        (lambda z, y: dlogits(z, y).T, "shape"),
        (lambda z, y: dlogits(z, y).sum(0), "(8, 27), not (27,)"),
        (lambda z, y: dlogits(z, y).tolist(), "not list"),
        (lambda z, y: dlogits(z, y).long(), "of floats"),
        (overwriting, "overwrites"),
        (
            lambda z, y: dlogits(z, y) + 0 * z.exp(),
            "exp overflows",
        ),
        (lambda z, y: dlogits(z.clamp(-20, 20), y), "in the hundreds"),
        (of_the_largest, "unless the largest logit of each row"),
        (by_atoms, "a probability becomes 0: 1 / p has no value"),
        (lambda z, y: (z.softmax(1) - F.one_hot(y)) / len(y), "number of classes"),
        (
            lambda z, y: (z.softmax(1) - torch.eye(int(y.max()) + 1)[y]) / len(y),
            "number of classes",
        ),
        (lambda z, y: (z.softmax(1) - F.one_hot(y, 27)) / 8, "of another size"),
        (
            lambda z, y: (z.softmax(1) - F.one_hot(y, 27)) / z.shape[0],
            "smaller vocabulary",
        ),
        (autograd_of(through_graph), "asks autograd"),
        (autograd_of(lambda loss, z: torch.autograd.grad(loss(z), z)[0]), "asks"),
        (autograd_of(lambda loss, z: torch.func.grad(loss)(z)), "asks autograd"),
    ],
    "4.3": [
        (lambda *a: batch_norm(*a, var=False), "through the variance"),
        (lambda *a: batch_norm(*a, mean=False), "through the mean"),
        (
            lambda *a: batch_norm(*a, mean=False, var=False),
            "through the mean and the variance",
        ),
        (lambda *a: batch_norm(*a, c=0), "B - 1. See hint 2"),
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
        (gradients_by(lambda *a: batch_norm(*a, c=0)), "it is B - 1. See hint 2"),
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
            "path through the mean is missing",
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
        (planted, "are random. See hint 1"),
        (changed(gradients, "gamma", lambda d: 1.01 * d), "gamma has the right shape"),
        (changed(gradients, "gamma", lambda d: d[:3]), "shape (6,), not (3,)"),
        (changed(gradients, "W2", lambda d: d.T), "shape (6, 27), not (27, 6)"),
        (changed(gradients, "beta", lambda d: d * 2), "beta has the right shape"),
        (changed(gradients, "beta", lambda d: d * 2), "In `suspect` it is right"),
        (
            gradients_by(lambda *a: batch_norm(*a, c=0), seed=2),
            "it is B - 1. In `suspect` it is right",
        ),
        (without(gradients, "gamma"), "no gradient called 'gamma'"),
        (lambda P, x, y: gradients(P, x, y)["gamma"], "Expected a dictionary"),
    ],
}
