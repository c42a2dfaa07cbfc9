"""Backward passes derived by hand: one pure function per layer, and `compare`.

In all of them dt is the gradient of the loss with respect to t, and has the shape of
t. A backward pass takes the gradient of a layer's output and what its forward pass
knew, and returns the gradients of the layer's inputs. Nothing is overwritten.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

EPS = 1e-5  #: what batch normalization adds to a variance, as in torch


class Comparison(NamedTuple):
    """How a gradient derived by hand agrees with autograd's.

    exact is bitwise, approximate by `torch.allclose`, largest the largest absolute gap.
    """

    name: str
    exact: bool
    approximate: bool
    largest: float

    def __str__(self) -> str:
        exact, close = ("yes" if ok else "no" for ok in self[1:3])
        return f"{self.name:10} exact {exact:3}  close {close:3}  {self.largest:.1e}"


def compare(name: str, dt: Tensor, t: Tensor) -> Comparison:
    """Return how far dt is from t.grad: bitwise, by `torch.allclose`, at the worst.

    Raises ValueError where autograd kept no gradient, or one of another shape: two
    tensors that merely broadcast are not equal.

    Parameters
    ----------
    name : what the comparison calls t
    dt : the gradient derived by hand, of t's shape
    t : a tensor of any shape, after `loss.backward()`
    """
    if t.grad is None:
        raise ValueError(f"{name} has no gradient: call {name}.retain_grad() first")
    if dt.shape != t.shape:
        shapes = f"{tuple(dt.shape)}, but {name} has {tuple(t.shape)}"
        raise ValueError(f"the gradient of {name} has the shape {shapes}")
    largest = (dt - t.grad).abs().max().item() if t.numel() else 0.0
    return Comparison(name, dt.equal(t.grad), dt.allclose(t.grad), largest)


def cross_entropy_backward(logits: Tensor, y: Tensor) -> Tensor:
    """Return dlogits of the mean cross-entropy: (B, V), (B,) -> (B, V).

    dlogits = (softmax(logits) - onehot(y)) / B
    """
    B, V = logits.shape
    return (torch.softmax(logits, 1) - F.one_hot(y, V)) / B


def linear_backward(dy: Tensor, x: Tensor, W: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return dx, dW, db of y = x W + b: dy (B, O) -> (B, I), (I, O), (O,).

    dx = dy W^T; dW = x^T dy; db = sum of dy over the batch

    Parameters
    ----------
    dy : the gradient of y, (B, O)
    x : the input, (B, I)
    W : the weights, (I, O)
    """
    return dy @ W.T, x.T @ dy, dy.sum(0)


def tanh_backward(dh: Tensor, h: Tensor) -> Tensor:
    """Return dx of h = tanh(x), of any shape.

    dx = (1 - h^2) dh = dh - dh h h
    """
    return dh - dh * h * h


def batch_norm_backward(
    dy: Tensor, xhat: Tensor, inv_std: Tensor, gamma: Tensor, correction: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Return dx, dgamma, dbeta: dy (B, H), xhat (B, H) -> (B, H), (H,), (H,).

    y = gamma xhat + beta, where xhat = (x - mean) inv_std, inv_std = (var + eps)^-1/2

    dgamma = sum(dy xhat) and dbeta = sum(dy), both over the batch;
    dx = gamma inv_std (dy - dbeta / B - xhat dgamma / (B - correction))

    Parameters
    ----------
    dy : the gradient of y, (B, H)
    xhat : the normalized input, (B, H)
    inv_std : one over its standard deviation, (H,)
    gamma : the scale, (H,)
    correction : var is the sum of squares over B - correction; 0 as in torch
    """
    B = len(dy)
    dgamma, dbeta = (dy * xhat).sum(0), dy.sum(0)
    moved = dbeta / B + xhat * (dgamma / (B - correction))
    return gamma * inv_std * (dy - moved), dgamma, dbeta


def embedding_backward(demb: Tensor, idx: Tensor, num_embeddings: int) -> Tensor:
    """Return dC of emb = C[idx]: demb (..., C), idx (...) -> (V, C).

    A row of C gets the sum of the gradients of all places that looked it up.

    Parameters
    ----------
    demb : the gradient of emb, (..., C)
    idx : the ids that were looked up, (...)
    num_embeddings : V, the rows of C
    """
    rows = demb.reshape(-1, demb.shape[-1])
    dC = rows.new_zeros(num_embeddings, demb.shape[-1])
    return dC.index_add_(0, idx.reshape(-1), rows)


def mlp_gradients(
    P: Mapping[str, Tensor], x: Tensor, y: Tensor, correction: int = 0
) -> tuple[Tensor, dict[str, Tensor], tuple[Tensor, Tensor]]:
    """Return the loss, its gradients, and the batch's mean and variance (H,), (H,).

    The model is the book's MLP with batch normalization.

    Parameters
    ----------
    P : the parameters by name, as are the gradients: C (V, C), W1 (T * C, H), gamma and
        beta (H,), W2 (H, V), b2 (V,)
    x : contexts (B, T)
    y : the ids that follow them, (B,)
    correction : as in `batch_norm_backward`
    """
    B = len(x)
    emb = P["C"][x]  # (B, T, C)
    flat = emb.flatten(1)  # (B, T * C)
    hpre = flat @ P["W1"]  # (B, H)
    mean = hpre.sum(0) / B  # (H,)
    centered = hpre - mean  # (B, H)
    var = centered.square().sum(0) / (B - correction)  # (H,)
    inv_std = (var + EPS).rsqrt()  # (H,)
    xhat = centered * inv_std  # (B, H)
    h = (P["gamma"] * xhat + P["beta"]).tanh()  # (B, H)
    logits = h @ P["W2"] + P["b2"]  # (B, V)
    loss = F.cross_entropy(logits, y)

    d = {}
    dlogits = cross_entropy_backward(logits, y)
    dh, d["W2"], d["b2"] = linear_backward(dlogits, h, P["W2"])
    dhpreact = tanh_backward(dh, h)
    dhpre, d["gamma"], d["beta"] = batch_norm_backward(
        dhpreact, xhat, inv_std, P["gamma"], correction
    )
    dflat, d["W1"], _ = linear_backward(dhpre, flat, P["W1"])
    d["C"] = embedding_backward(dflat.view_as(emb), x, len(P["C"]))
    return loss, d, (mean, var)
