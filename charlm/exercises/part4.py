"""The checks of Part 4: gradients that a reader derived, against autograd's."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from charlm.exercises.answers import Check, Wrong, call, judge, read_number

EPS = 1e-5
NAMES = """
    log_probs probs inv_total total counts shifted top logits h W2 b2 hpreact gamma beta
    xhat inv_std var squared centred mean hpre flat W1 b1 emb C
"""
ORDER = NAMES.split()  # the forward pass, from the loss backwards


def forward_atoms(seed: int = 0, B: int = 8) -> dict[str, Tensor]:
    """Return a small net's forward pass in atoms, by name, with autograd's gradients.

    Each tensor's gradient is in its `.grad`; x and y are there as well.
    """
    g = torch.Generator().manual_seed(seed)
    shapes = {"C": (27, 4), "W1": (12, 6), "b1": (6,), "gamma": (6,), "beta": (6,)}
    shapes |= {"W2": (6, 27), "b2": (27,)}
    with torch.enable_grad():
        t = {
            k: torch.randn(s, dtype=torch.float64, generator=g).requires_grad_()
            for k, s in shapes.items()
        }
        t["x"] = torch.randint(3, (B, 3), generator=g)  # few letters: rows repeat
        t["y"] = torch.randint(27, (B,), generator=g)
        t["emb"] = t["C"][t["x"]]
        t["flat"] = t["emb"].view(B, -1)
        t["hpre"] = t["flat"] @ t["W1"] + t["b1"]
        t["mean"] = t["hpre"].sum(0) / B
        t["centred"] = t["hpre"] - t["mean"]
        t["squared"] = t["centred"] ** 2
        t["var"] = t["squared"].sum(0) / (B - 1)
        t["inv_std"] = (t["var"] + EPS) ** -0.5
        t["xhat"] = t["centred"] * t["inv_std"]
        t["hpreact"] = t["gamma"] * t["xhat"] + t["beta"]
        t["h"] = t["hpreact"].tanh()
        t["logits"] = t["h"] @ t["W2"] + t["b2"]
        t["top"] = t["logits"].max(1, keepdim=True).values
        t["shifted"] = t["logits"] - t["top"]
        t["counts"] = t["shifted"].exp()
        t["total"] = t["counts"].sum(1, keepdim=True)
        t["inv_total"] = t["total"] ** -1
        t["probs"] = t["counts"] * t["inv_total"]
        t["log_probs"] = t["probs"].log()
        for name in ORDER:
            t[name].retain_grad()
        (-t["log_probs"][torch.arange(B), t["y"]].mean()).backward()
    return t


def _call(answer: Any, *arguments: Any) -> Any:
    with torch.no_grad():
        return call(answer, *arguments)


def _match(result: Any, right: Tensor, name: str, mistakes: dict[str, Tensor]) -> None:
    """Raise Wrong, with the mistake that explains the tensor, unless it is right."""
    if not isinstance(result, Tensor):
        raise Wrong(f"{name} should be a tensor, not {type(result).__name__}.")
    if result.shape != right.shape:
        shapes = f"{tuple(right.shape)}, not {tuple(result.shape)}"
        raise Wrong(f"{name} should have the shape {shapes}.")
    result = result.to(right.dtype)
    if result.allclose(right, rtol=1e-6, atol=1e-9):
        return
    for mistake, wrong in mistakes.items():
        if result.allclose(wrong, rtol=1e-6, atol=1e-9):
            raise Wrong(mistake)
    raise Wrong(f"{name} has the right shape, but the numbers differ from autograd's.")


def _gradients(result: Any, t: Mapping[str, Tensor], names: list[str]) -> None:
    """Raise Wrong at the first wrong gradient, walking back from the loss."""
    if not isinstance(result, Mapping):
        kind = type(result).__name__
        raise Wrong(f"Expected a dictionary from names to gradients, got {kind}.")
    for name in names:
        if name not in result:
            raise Wrong(f"There is no gradient called {name!r}.")
        right = t[name].grad
        assert right is not None
        _match(result[name], right, f"the gradient of {name}", {})


def _atoms(answer: Any) -> None:
    t = forward_atoms()
    _gradients(_call(answer, t), t, ORDER)


def _cross_entropy(answer: Any) -> None:
    t = forward_atoms()
    logits, y, right = t["logits"].detach(), t["y"], t["logits"].grad
    assert right is not None
    probs, B = torch.softmax(logits, 1), len(y)
    mistakes = {
        "The loss is a mean: divide by the batch size.": right * B,
        "The sign is turned round: probabilities minus one-hot.": -right,
        "Those are the probabilities alone; subtract the one-hot.": probs / B,
        "Divide by the batch size, not by the vocabulary's.": right * B / 27,
    }
    _match(_call(answer, logits, y), right, "dlogits", mistakes)
    large = _call(answer, logits * 500, y)
    if not isinstance(large, Tensor) or not large.isfinite().all():
        raise Wrong("It fails for logits in the hundreds: exp overflows.")


def _batch_norm(answer: Any) -> None:
    t = forward_atoms()
    dy, right = t["hpreact"].grad, t["hpre"].grad
    assert dy is not None and right is not None
    xhat, inv_std, gamma = (t[k].detach() for k in ("xhat", "inv_std", "gamma"))
    B, scale = len(dy), gamma * inv_std
    dbeta, dgamma = dy.sum(0), (dy * xhat).sum(0)
    mistakes = {
        "The way through the variance is missing. See hint 1.": (
            scale * (dy - dbeta / B)
        ),
        "The way through the mean is missing. See hint 1.": (
            scale * (dy - xhat * dgamma / (B - 1))
        ),
        "Both statistics depend on the batch, too. See hint 1.": scale * dy,
        "That is right for a variance divided by B; here it is B - 1.": (
            scale * (dy - dbeta / B - xhat * dgamma / B)
        ),
        "gamma is missing.": right / gamma,
    }
    _match(_call(answer, dy, xhat, inv_std, gamma), right, "dhpre", mistakes)


PARAMETERS = ["W2", "b2", "gamma", "beta", "W1", "b1", "C"]


def _whole(answer: Any) -> None:
    for seed in (0, 1):
        t = forward_atoms(seed)
        P = {k: t[k].detach() for k in PARAMETERS}
        _gradients(_call(answer, P, t["x"], t["y"]), t, PARAMETERS)


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

    def formula(d: Tensor, dim: int) -> Tensor:
        means = d.mean(dim, keepdim=True), (d * xhat).mean(dim, keepdim=True)
        return inv_std * (d - means[0] - xhat * means[1])

    mistakes = {
        "gamma belongs inside the sums: it differs by channel. See hint 2.": (
            gamma * formula(dy, 1)
        ),
        "Those are batch normalisation's sums; sum over channels. See hint 1.": (
            formula(gamma * dy, 0)
        ),
        "gamma is missing.": formula(dy, 1),
    }
    _match(_call(answer, dy, xhat, inv_std, gamma), right, "dx", mistakes)


def _planted(answer: Any) -> None:
    t = forward_atoms(2)
    P = {k: t[k].detach() for k in PARAMETERS if k != "b1"}
    result = _call(answer, P, t["x"], t["y"])
    if isinstance(result, tuple) and len(result) == 2:
        loss, result = result
        right = -t["log_probs"][torch.arange(len(t["y"])), t["y"]].mean().item()
        if not math.isclose(read_number(loss), right, abs_tol=1e-6):
            raise Wrong("The loss has changed; the mistake is in the backward pass.")
    _gradients(result, t, [k for k in PARAMETERS if k != "b1"])


CHECKS: dict[str, Check] = {
    "4.1": _atoms,
    "4.2": _cross_entropy,
    "4.3": _batch_norm,
    "4.4": _whole,
    "4.5": _layer_norm,
    "4.6": _planted,
}

check = partial(judge, CHECKS)
