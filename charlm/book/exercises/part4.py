"""The checks of Part 4: gradients that a reader derived, against autograd's."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from charlm.book.exercises.answers import Check, Wrong, call, judge
from charlm.book.exercises.atoms import EPS, ORDER, forward_atoms, gradient


def _call(answer: Any, *arguments: Any) -> Any:
    with torch.no_grad():
        return call(answer, *arguments)


def _match(
    result: Any, right: Tensor, name: str, mistakes: dict[str, Tensor], hint: str = ""
) -> None:
    """Raise Wrong, with the mistake that explains the tensor, unless it is right.

    The hint is for what names none of its own.

    A result in float32 is compared no more closely than float32 can be.
    """
    if not isinstance(result, Tensor):
        raise Wrong(f"{name} should be a tensor, not {type(result).__name__}.")
    if not result.is_floating_point():
        raise Wrong(f"{name} should be a tensor of floats.")
    if result.shape != right.shape:
        shapes = f"{tuple(right.shape)}, not {tuple(result.shape)}"
        raise Wrong(f"{name} should have the shape {shapes}.{hint}")
    rtol, atol = (1e-6, 1e-9) if result.dtype == right.dtype else (1e-3, 1e-5)
    result = result.to(right.dtype)
    if result.allclose(right, rtol=rtol, atol=atol):
        return
    for mistake, wrong in mistakes.items():
        if result.allclose(wrong, rtol=rtol, atol=atol):
            raise Wrong(mistake if "See hint" in mistake else f"{mistake}{hint}")
    differ = "has the right shape, but the numbers differ from autograd's."
    raise Wrong(f"{name} {differ}{hint}")


def _gradients(
    result: Any, t: Mapping[str, Tensor], names: list[str], hint: str = ""
) -> None:
    """Raise Wrong at the first wrong gradient, walking back from the loss."""
    if not isinstance(result, Mapping):
        kind = type(result).__name__
        raise Wrong(f"Expected a dictionary from names to gradients, got {kind}.")
    mistakes = _mistakes(t)
    for name in names:
        if name not in result:
            raise Wrong(f"There is no gradient called {name!r}.")
        right, title = gradient(t, name), f"The gradient of {name}"
        known = {
            f"{title} has the wrong sign.": -right,
            f"{title} is B times too large: the loss is a mean.": right * len(t["y"]),
        }
        known |= {
            f"{title} is not right. {k}": v for k, v in mistakes.get(name, {}).items()
        }
        _match(result[name], right, title, known, hint)


@torch.no_grad()
def _mistakes(t: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Return the wrong gradients that common mistakes lead to, by name and mistake."""
    d, B = {name: gradient(t, name) for name in ORDER}, len(t["y"])
    rows = d["emb"].flatten(0, 1)
    norm = _norm_mistakes(d["hpreact"], t["xhat"], t["inv_std"], t["gamma"])
    return {
        "counts": {
            "The way through total is missing.": d["probs"] * t["inv_total"],
            "The way through probs is missing.": d["total"].expand_as(d["counts"]),
        },
        "centered": {
            "The way through squared is missing.": d["xhat"] * t["inv_std"],
            "The way through xhat is missing.": 2 * t["centered"] * d["squared"],
        },
        "squared": {"The variance is divided by B - 1.": d["squared"] * (B - 1) / B},
        "hpre": {
            "The way through mean is missing.": d["centered"],
            "The mean is a sum divided by B.": d["centered"] + d["mean"],
        },
        "W1": {k: t["flat"].T @ wrong for k, wrong in norm.items()},
        "C": {
            "A row that was looked up twice gets both gradients.": (
                torch.zeros_like(t["C"]).index_put((t["x"].flatten(),), rows)
            )
        },
    }


def _norm_mistakes(
    dy: Tensor, xhat: Tensor, inv_std: Tensor, gamma: Tensor
) -> dict[str, Tensor]:
    """Return what batch normalization's common mistakes lead to: (B, H) each."""
    B, scale = len(dy), gamma * inv_std
    mean, var = dy.sum(0) / B, xhat * (dy * xhat).sum(0) / (B - 1)
    return {
        "The way through the variance is missing.": scale * (dy - mean),
        "The way through the mean is missing.": scale * (dy - var),
        "Both statistics depend on the batch, too.": scale * dy,
        "That is right for a variance divided by B; here it is B - 1.": (
            scale * (dy - mean - var * (B - 1) / B)
        ),
        "gamma is missing.": inv_std * (dy - mean - var),
        "inv_std is missing.": gamma * (dy - mean - var),
    }


def _atoms(answer: Any) -> None:
    t = forward_atoms()
    _gradients(_call(answer, t), t, ORDER, hint=" See hint 2.")


def _cross_entropy(answer: Any) -> None:
    t = forward_atoms()
    logits, y, right = t["logits"].detach(), t["y"], gradient(t, "logits")
    probs, B = torch.softmax(logits, 1), len(y)
    onehot = F.one_hot(y, 27)
    mistakes = {
        "The loss is a mean: divide by the batch size. See hint 2.": right * B,
        "The sign is turned round: probabilities minus one-hot. See hint 1.": -right,
        "Those are the probabilities alone; subtract the one-hot. See hint 1.": (
            probs / B
        ),
        "Divide by the batch size, not by the vocabulary's.": right * B / 27,
        "The logits are no probabilities yet. See hint 2.": (logits - onehot) / B,
    }
    result = _call(answer, logits, y)
    _match(result, right, "dlogits", mistakes, hint=" See hint 1.")
    logits, large = logits * 500, _call(answer, logits * 500, y)
    try:
        _match(large, (logits.softmax(1) - onehot) / B, "dlogits", {})
    except Wrong:
        message = "It fails for logits in the hundreds: exp overflows. See hint 2."
        raise Wrong(message) from None


def _batch_norm(answer: Any) -> None:
    t = forward_atoms()
    dy, right = gradient(t, "hpreact"), gradient(t, "hpre")
    xhat, inv_std, gamma = (t[k].detach() for k in ("xhat", "inv_std", "gamma"))
    mistakes = _norm_mistakes(dy, xhat, inv_std, gamma)
    result = _call(answer, dy, xhat, inv_std, gamma)
    _match(result, right, "dhpre", mistakes, hint=" See hint 1.")


PARAMETERS = ["W2", "b2", "gamma", "beta", "W1", "b1", "C"]


def _whole(answer: Any) -> None:
    for seed in (0, 1):
        t = forward_atoms(seed)
        P = {k: t[k].detach() for k in PARAMETERS}
        result = _call(answer, P, t["x"], t["y"])
        _gradients(result, t, PARAMETERS, hint=" See hint 2.")


def _batch_sums(dy: Tensor, xhat: Tensor, inv_std: Tensor, gamma: Tensor) -> Tensor:
    """Return what batch normalization's backward makes of layer normalization."""
    B = len(dy)
    return gamma * inv_std * (dy - dy.mean(0) - xhat * (dy * xhat).sum(0) / (B - 1))


def _layer_norm(answer: Any) -> None:
    g = torch.Generator().manual_seed(0)
    x, gamma, beta, dy = (
        torch.randn(s, dtype=torch.float64, generator=g)
        for s in ((5, 7), (7,), (7,), (5, 7))
    )
    with torch.enable_grad():
        x.requires_grad_()
        F.layer_norm(x, (7,), gamma, beta, EPS).backward(dy)
    right = x.grad
    assert right is not None
    x = x.detach()
    inv_std = (x.var(1, keepdim=True, correction=0) + EPS).rsqrt()
    xhat = (x - x.mean(1, keepdim=True)) * inv_std
    dxhat = gamma * dy

    mean, var = dxhat.mean(1, keepdim=True), xhat * (dxhat * xhat).mean(1, keepdim=True)

    def formula(d: Tensor, dim: int) -> Tensor:
        means = d.mean(dim, keepdim=True), (d * xhat).mean(dim, keepdim=True)
        return inv_std * (d - means[0] - xhat * means[1])

    mistakes = {
        "gamma belongs inside the sums: it differs by channel. See hint 2.": (
            gamma * formula(dy, 1)
        ),
        "Those are batch normalization's sums; sum over channels. See hint 1.": (
            formula(dxhat, 0)
        ),
        "gamma is missing. See hint 2.": formula(dy, 1),
        "inv_std is missing.": right / inv_std,
        "The variance is biased here: divide by the number of channels.": (
            inv_std * (dxhat - mean - var * 7 / 6)
        ),
        "The way through the variance is missing. See hint 1.": inv_std
        * (dxhat - mean),
        "The way through the mean is missing. See hint 1.": inv_std * (dxhat - var),
        "Those are the batch normalization of exercise 4.3: sum over channels. "
        "See hint 1.": _batch_sums(dy, xhat, inv_std, gamma),
        "Those sums are not yet means: divide by the number of channels.": (
            inv_std * (dxhat - 7 * (dxhat - right / inv_std))
        ),
        "The ways through the mean and the variance are missing. See hint 1.": (
            inv_std * dxhat
        ),
    }
    result = _call(answer, dy, xhat, inv_std, gamma)
    _match(result, right, "dx", mistakes, hint=" See hint 1.")


def _planted(answer: Any) -> None:
    t = forward_atoms(2)
    P = {k: t[k].detach() for k in PARAMETERS if k != "b1"}
    result = _call(answer, P, t["x"], t["y"])
    sound = [k for k in P if k != "gamma"]
    _gradients(result, t, sound, hint=" It was right before.")
    if "gamma" not in result:
        raise Wrong("There is no gradient called 'gamma'.")
    try:
        _gradients(result, t, ["gamma"])
    except Wrong:
        message = "The mistake shows when gamma and beta are random. See hint 1."
        raise Wrong(f"One gradient is not autograd's yet. {message}") from None


CHECKS: dict[str, Check] = {
    "4.1": _atoms,
    "4.2": _cross_entropy,
    "4.3": _batch_norm,
    "4.4": _whole,
    "4.5": _layer_norm,
    "4.6": _planted,
}

check = partial(judge, CHECKS)
