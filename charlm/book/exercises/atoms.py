"""The small net of Part 4's checks: its forward pass in atoms, with all gradients."""

from collections.abc import Mapping

import torch
from torch import Tensor

EPS = 1e-5
NAMES = """
    log_probs probs inv_total total counts shifted top logits h W2 b2 hpreact gamma beta
    xhat inv_std var squared centered mean hpre flat W1 b1 emb C
"""
ORDER = NAMES.split()  # the forward pass, from the loss backwards


def forward_atoms(
    seed: int = 0, B: int = 8, unseen: float = 0, moved: float = 0
) -> dict[str, Tensor]:
    """Return a small net's forward pass in atoms, by name, with autograd's gradients.

    Each tensor's gradient is in its `.grad`; x and y are there as well.

    Parameters
    ----------
    seed : of the generator that draws the parameters and the batch
    B : the number of examples
    unseen : a constant that is added to total, as a character would that never comes.
        No derivative changes its form, but the gradient of top is no longer zero.
    moved : a constant that is added to mean. No derivative changes its form, but
        centered no longer sums to zero, nor does what comes back through squared.
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
        t["mean"] = t["hpre"].sum(0) / B + moved
        t["centered"] = t["hpre"] - t["mean"]
        t["squared"] = t["centered"] ** 2
        t["var"] = t["squared"].sum(0) / (B - 1)
        t["inv_std"] = (t["var"] + EPS) ** -0.5
        t["xhat"] = t["centered"] * t["inv_std"]
        t["hpreact"] = t["gamma"] * t["xhat"] + t["beta"]
        t["h"] = t["hpreact"].tanh()
        t["logits"] = t["h"] @ t["W2"] + t["b2"]
        t["top"] = t["logits"].max(1, keepdim=True).values
        t["shifted"] = t["logits"] - t["top"]
        t["counts"] = t["shifted"].exp()
        t["total"] = t["counts"].sum(1, keepdim=True) + unseen
        t["inv_total"] = t["total"] ** -1
        t["probs"] = t["counts"] * t["inv_total"]
        t["log_probs"] = t["probs"].log()
        for name in ORDER:
            t[name].retain_grad()
        (-t["log_probs"][torch.arange(B), t["y"]].mean()).backward()
    return t


def gradient(t: Mapping[str, Tensor], name: str) -> Tensor:
    """Return autograd's gradient of the tensor of that name."""
    grad = t[name].grad
    assert grad is not None
    return grad
